// Paths as a person would type them at a shell's prompt.

/** What no common shell (sh, bash, zsh, fish) gives a meaning inside of a word. */
const PLAIN = /^[\p{L}\p{N}_./+,:@-]+$/u;

/** One word for the shell that means exactly `path`, and is never taken for an option. */
export function shellQuote(path: string): string {
  const word = path.startsWith("-") ? `./${path}` : path;
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The words of several paths, with a space after each, so that typing can go on. */
export function typedPaths(paths: string[]): string {
  return paths.map((path) => `${shellQuote(path)} `).join("");
}
