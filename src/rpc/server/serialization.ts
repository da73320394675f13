/** JSON that is not UTF-8 must be refused, not mended. */
export const jsonOptions = { ignoreUnknownFields: false, textDecoder: new TextDecoder("utf-8", { fatal: true }) };

/** Fields that this version does not know are dropped: kept, each costs fifty times its bytes. */
export const binaryOptions = { readUnknownFields: false };
