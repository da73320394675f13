/** Elements that are no text, or no text of the document's own. */
const skippedNames = new Set([
  ...["script", "style", "noscript", "template", "nav", "aside", "iframe", "object", "embed", "svg", "canvas"],
  ...["audio", "video", "select", "button", "input", "textarea", "datalist", "dialog"],
]);

/** Elements whose header and footer are about what they hold, not about the site. */
const contentNames = new Set(["article", "main", "section"]);

/** Follows the open elements and says whether what stands in them is text of the document. */
export class SkippedElements {
  #depth = 0;
  /** The depth of the outermost open element that is left out. */
  #skippedFrom: number | undefined;
  #contentDepths: number[] = [];

  get isSkipping(): boolean {
    return this.#skippedFrom !== undefined;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#depth += 1;
    if (this.isSkipping) return;
    if (contentNames.has(name)) this.#contentDepths.push(this.#depth);
    if (this.#isSkipped(name, attributes)) this.#skippedFrom = this.#depth;
  }

  close(): void {
    if (this.#skippedFrom === this.#depth) this.#skippedFrom = undefined;
    if (this.#contentDepths.at(-1) === this.#depth) this.#contentDepths.pop();
    this.#depth -= 1;
  }

  #isSkipped(name: string, attributes: Readonly<Record<string, string>>): boolean {
    if (skippedNames.has(name)) return !(name === "dialog" && Object.hasOwn(attributes, "open"));
    if ((name === "header" || name === "footer") && this.#contentDepths.length === 0) return true;
    return isHidden(attributes);
  }
}

/** What readers do not see is no text either: it is a favourite place for instructions to a model. */
function isHidden(attributes: Readonly<Record<string, string>>): boolean {
  if (Object.hasOwn(attributes, "hidden") || attributes["aria-hidden"]?.toLowerCase() === "true") return true;
  return /(?:^|[;\s])(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)/i.test(attributes.style ?? "");
}
