import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { loadPrompt } from "../../../src/adapters/prompt-files/index.ts";
import type { JsonSchemas } from "../../../src/core/json-schema.ts";
import type { ModelTarget } from "../../../src/core/model.ts";
import type { LoadedPrompt } from "../../../src/core/prompt.ts";
import type { CheckCompiler } from "../../../src/core/semantic-check.ts";
import { draftContext, fitContext } from "../../../src/pipeline/build-context.ts";
import type { CacheKey } from "../../../src/pipeline/cache-key/key.ts";
import { NO_CORPUS, requestKey } from "../../../src/pipeline/cache-key/request-key.ts";
import { contentKey } from "../../../src/pipeline/cache-key.ts";
import { validate } from "../../../src/pipeline/validate.ts";
import { catalog, target } from "../../support/models.ts";
import { builtinPrompts, checkCompiler, jsonSchemas, wordCounter } from "../../support/pipeline-ports.ts";

export type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

/** Who asks whom; everything has a default. */
export interface Setting {
  readonly tenant?: string;
  readonly model?: Partial<ModelTarget>;
  /** Of the alias `smart`, which a model may escalate to. */
  readonly smart?: Partial<ModelTarget>;
  readonly corpus?: string;
  /** Instead of the real ones, where thousands are to be compiled. */
  readonly schemas?: JsonSchemas;
  readonly checks?: CheckCompiler;
}

function promptFile(name: string, version: string, words: string): LoadedPrompt {
  const source = `---
description: For a test.
input:
  schema:
    type: object
    additionalProperties: false
    properties:
      text: { type: string }
      hidden: { type: string }
      doc: { type: object }
---
@user
${words} {{text}} {{#if (eq text "caf\u00e9")}}coffee{{/if}} {{json doc}}`;
  const bytes = new TextEncoder().encode(source);
  const loaded = loadPrompt(
    { file: `prompts/${name}/${version}.prompt`, name, version, bytes },
    { schemas: jsonSchemas, checks: checkCompiler },
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.prompt;
}

const loaded = [promptFile("show", "v1", "An"), promptFile("show", "v2", "A"), promptFile("other", "v1", "Other")];
const prompts = {
  list: () => loaded,
  get(name: string, version: string): LoadedPrompt {
    const wanted = version === "" || version === "latest" ? "v2" : version;
    const found = loaded.find((prompt) => prompt.name === name && (name === "other" || prompt.version === wanted));
    if (!found) throw new Error(`no prompt ${name} ${version}`);
    return found;
  },
};

export interface Keys {
  readonly content: CacheKey;
  readonly request: CacheKey;
}

/** Both keys of a request: to `fast` by default; there are `same`, `other` and `smart` too. */
export function keysOf(init: Init, setting: Setting = {}): Keys {
  const { tenant = "acme", model, smart, corpus = NO_CORPUS, schemas = jsonSchemas, checks = checkCompiler } = setting;
  const ports = {
    counter: wordCounter,
    builtins: builtinPrompts,
    schemas,
    checks,
    prompts,
    models: catalog(
      target(model),
      target({ ...model, alias: "same" }),
      target({ ...model, alias: "other", providerModel: "gpt-other" }),
      target({ alias: "smart", ...smart }),
    ),
  };
  const valid = validate(ports, create(CompletionInputSchema, init));
  const drafted = draftContext(ports, valid);
  return {
    request: requestKey(tenant, drafted, corpus),
    content: contentKey(tenant, fitContext(ports, valid, drafted)),
  };
}
