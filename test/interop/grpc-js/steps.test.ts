import { testsOfClient } from "../steps.ts";
import { perform } from "./perform.ts";

testsOfClient("grpc-js", ({ host, port }) => perform(`${host}:${port}`));
