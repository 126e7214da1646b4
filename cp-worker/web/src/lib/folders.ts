// Which folders of the workspace to offer for what has been typed so far.

/** Suggestions shown at once: what fits above a phone's keyboard. */
const SHOWN = 6;

/** Those that begin as `typed`, then those that contain it; none when it is one of them. */
export function suggestFolders(folders: readonly string[], typed: string): string[] {
  const wanted = typed.trim().toLowerCase();
  const matching = folders.filter((folder) => folder.toLowerCase().includes(wanted));
  if (matching.length === 1 && matching[0] === typed.trim()) return [];
  const begins = (folder: string) => Number(!folder.toLowerCase().startsWith(wanted));
  return matching.sort((a, b) => begins(a) - begins(b) || a.localeCompare(b)).slice(0, SHOWN);
}
