// What a person pastes or drops: text, or files with the names that they shall have.

import { isNameless, pastedName } from "./file-names";
import type { NamedFile } from "./uploads";

export type { NamedFile } from "./uploads";

/** The parts of a clipboard that are looked at. */
export interface PastedData {
  readonly files: ArrayLike<File>;
  getData(type: string): string;
}

/**
 * The text, or the files. A spreadsheet's cells come as text and as their picture: then they are
 * text. A file that was copied comes with its name as text: then it is a file.
 */
export function takePaste(
  data: PastedData | null,
  now = new Date(),
): { text: string; files: NamedFile[] } {
  if (data === null) return { text: "", files: [] };
  const text = data.getData("text/plain");
  const files = Array.from(data.files);
  const isPictureOfText = text !== "" && files.every(isNameless);
  return { text, files: isPictureOfText ? [] : files.map((file) => named(file, now)) };
}

/** The file under its own name; a picture without one is named by the time. */
export function named(file: File, now = new Date()): NamedFile {
  return { file, name: isNameless(file) ? pastedName(file.type, now) : file.name };
}

/** The files of a drop, and whether folders were among it, which browsers hand over as no file. */
export function takeDrop(data: DataTransfer): { files: NamedFile[]; hasFolder: boolean } {
  const items = Array.from(data.items).filter(({ kind }) => kind === "file");
  const isFolder = (item: DataTransferItem) => item.webkitGetAsEntry?.()?.isDirectory === true;
  const files = items
    .filter((item) => !isFolder(item))
    .map((item) => item.getAsFile())
    .filter((file) => file !== null);
  return { files: files.map((file) => named(file)), hasFolder: items.some(isFolder) };
}

/**
 * The clipboard, where the browser lets us read it: text, or the picture in it.
 *
 * @throws where the browser or the person does not let us
 */
export async function readClipboard(): Promise<{ text: string; files: NamedFile[] }> {
  const items = "read" in navigator.clipboard ? await navigator.clipboard.read() : [];
  const picture = items.flatMap((item) => {
    const type = item.types.includes("text/plain") ? undefined : imageOf(item);
    return type === undefined ? [] : [{ item, type }];
  })[0];
  if (picture === undefined) return { text: await navigator.clipboard.readText(), files: [] };
  const file = await picture.item.getType(picture.type);
  return { text: "", files: [{ file, name: pastedName(picture.type, new Date()) }] };
}

function imageOf(item: ClipboardItem): string | undefined {
  return item.types.find((type) => type.startsWith("image/"));
}
