/** What a model alias looks like; the same rule as for `CompletionInput.model` in the contract. */
export const aliasPattern = /^[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}$/;

/** Aliases and provider ids that no configuration may take. */
export const sandboxPrefix = "sandbox/";
export const sandboxProviderId = "sandbox";
export const localPrefix = "local/";
export const localProviderId = "built-in";

/** The embedding model that runs in the service itself. */
export const localEmbeddingAlias = "local/use-lite";
