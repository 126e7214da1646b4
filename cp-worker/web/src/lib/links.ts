// Finds web addresses in plain text.

/** A piece of a text: plain, or an address that can be followed. */
export interface Piece {
  text: string;
  address: boolean;
}

/** The text in pieces; punctuation behind an address belongs to the sentence. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"']+/g)) {
    const address = match[0].replace(/[.,;:!?)\]]+$/, "");
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), address: false });
    pieces.push({ text: address, address: true });
    end = match.index + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), address: false });
  return pieces;
}
