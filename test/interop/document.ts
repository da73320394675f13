/** A document to summarize. Its letters take more than one byte in UTF-8 here and there. */
export const document = `The harbour of Skagen was closed on Tuesday after a crane fell across the only quay that ferries use. Nobody was \
hurt. The harbour master, Åse Lund, expects the quay to be open again on Friday at 06:00. Until then the ferry from \
Gøteborg lands in Frederikshavn, 41 kilometres to the south, and buses take passengers the rest of the way.`;
