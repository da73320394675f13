export { createJsonSchemas } from "./json-schemas.ts";
