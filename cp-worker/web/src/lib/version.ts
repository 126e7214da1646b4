// Versions `x.y.z`, compared.

/** Whether `offered` is newer than `own`; never for a build without an ordinary version. */
export function isNewer(offered: string, own: string | null): boolean {
  const [a, b] = [numbers(offered), numbers(own ?? "")];
  if (a === null || b === null) return false;
  const different = a.findIndex((number, at) => number !== b[at]);
  return different >= 0 && (a[different] ?? 0) > (b[different] ?? 0);
}

/** The version that `own` must be brought to before what a release's manifest offers; null if none. */
export function versionBefore(manifest: string, own: string | null): string | null {
  try {
    const minimum: unknown = JSON.parse(manifest)?.minimum_version;
    return typeof minimum === "string" && isNewer(minimum, own) ? minimum : null;
  } catch {
    // The gateway says what is wrong with it.
    return null;
  }
}

function numbers(version: string): number[] | null {
  return /^\d+\.\d+\.\d+$/.test(version) ? version.split(".").map(Number) : null;
}
