// Copying from the terminal, with a word about what became of it.

import { toast } from "sonner";
import { plural } from "@/lib/format";

/** Puts the text into the clipboard; `quiet` says nothing where that goes well. */
export async function copyText(text: string, quiet = false): Promise<void> {
  if (text === "") {
    toast.warning("Nothing is selected.", { id: "copy" });
    return;
  }
  try {
    await navigator.clipboard.writeText(text);
    if (!quiet) toast.success(`Copied ${plural(text.length, "character")}.`, { id: "copy" });
  } catch {
    toast.error("The browser did not let us write to the clipboard.", { id: "copy" });
  }
}

/** What a program puts into the clipboard, which its person is told. */
export async function copyForProgram(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast.info(`The program copied ${plural(text.length, "character")}.`, { id: "copy" });
  } catch {
    // Nobody asked for it here: the page is not looked at, or the browser forbids it.
  }
}
