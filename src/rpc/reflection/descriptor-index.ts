import { createRegistry, type DescEnum, type DescFile, type Registry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Finds descriptors by what reflection clients ask for. Built from the descriptors that generated code embeds. */
export class DescriptorIndex {
  readonly #files: ReadonlyMap<string, DescFile>;
  readonly #registry: Registry;
  readonly #enumValues: ReadonlyMap<string, DescFile>;
  readonly #encoded = new Map<DescFile, Uint8Array>();

  /** @param roots the files to know, together with all that they import. */
  constructor(roots: readonly DescFile[]) {
    const files = new Set<DescFile>();
    for (const root of roots) collectImports(root, files);
    this.#files = new Map([...files].map((file) => [file.proto.name, file]));
    this.#registry = createRegistry(...files);
    const enums = [...this.#registry].filter((desc): desc is DescEnum => desc.kind === "enum");
    this.#enumValues = new Map(
      enums.flatMap((desc) => desc.values.map(({ name }) => [siblingName(desc.typeName, name), desc.file])),
    );
  }

  fileByName(name: string): DescFile | undefined {
    return this.#files.get(name);
  }

  /** A message, enum, extension or service by its full name, or a field, oneof, method or enum value. */
  fileOfSymbol(symbol: string): DescFile | undefined {
    return this.#registry.get(symbol)?.file ?? this.#enumValues.get(symbol) ?? this.#fileOfMember(symbol);
  }

  #fileOfMember(symbol: string): DescFile | undefined {
    const dot = symbol.lastIndexOf(".");
    const parent = this.#registry.get(symbol.slice(0, Math.max(dot, 0)));
    const member = symbol.slice(dot + 1);
    const isNamed = ({ name }: { readonly name: string }) => name === member;
    if (parent?.kind === "service") return parent.methods.some(isNamed) ? parent.file : undefined;
    if (parent?.kind !== "message") return undefined;
    return parent.fields.some(isNamed) || parent.oneofs.some(isNamed) ? parent.file : undefined;
  }

  fileOfExtension(extendee: string, number: number): DescFile | undefined {
    const desc = this.#registry.getMessage(extendee);
    return desc && this.#registry.getExtensionFor(desc, number)?.file;
  }

  /** Numbers of the known extensions of a message, ascending; `undefined` where the message is unknown. */
  extensionNumbers(extendee: string): number[] | undefined {
    if (!this.#registry.getMessage(extendee)) return undefined;
    return [...this.#registry]
      .flatMap((desc) => (desc.kind === "extension" && desc.extendee.typeName === extendee ? [desc.number] : []))
      .sort((a, b) => a - b);
  }

  /** A file and all that it imports, each as an encoded FileDescriptorProto: the file itself first, every file before its imports. */
  encodeWithImports(file: DescFile): Uint8Array[] {
    return [...collectImports(file, new Set())].reverse().map((each) => {
      const bytes = this.#encoded.get(each) ?? toBinary(FileDescriptorProtoSchema, each.proto);
      this.#encoded.set(each, bytes);
      return bytes;
    });
  }
}

/** Imports come before the file that needs them. They have no cycles: protoc refuses those. */
function collectImports(file: DescFile, into: Set<DescFile>): Set<DescFile> {
  if (into.has(file)) return into;
  for (const dependency of file.dependencies) collectImports(dependency, into);
  return into.add(file);
}

/** Enum values are siblings of their enum, as in C++ (descriptor.proto). */
function siblingName(enumName: string, valueName: string): string {
  return enumName.slice(0, enumName.lastIndexOf(".") + 1) + valueName;
}
