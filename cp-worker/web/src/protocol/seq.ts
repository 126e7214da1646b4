// Serial-number arithmetic on output offsets, which travel modulo 2^32 (RFC 1982).

/** The signed distance in bytes from `from` to `to`, taking the shorter way round. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** Whether `a` comes before `b` in the stream. */
export function isBefore(a: number, b: number): boolean {
  return distance(a, b) > 0;
}

/** The form in which a full offset, a safe integer, travels. */
export function narrow(offset: number): number {
  return offset >>> 0;
}

/** The full offset nearest to `near` that travels as `wire`; null when it would be negative. */
export function widen(near: number, wire: number): number | null {
  const offset = near + distance(narrow(near), wire);
  return offset < 0 ? null : offset;
}
