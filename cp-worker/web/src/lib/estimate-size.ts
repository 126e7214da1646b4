// A first guess at a terminal's size, before there is a terminal to measure.

/** Cell in CSS pixels at the usual font size; header, key bar and padding around the terminal. */
const CELL = { width: 8.4, height: 18 };
const FRAME = { width: 32, height: 72 };

/** Columns and rows for a window; the terminal page corrects them as soon as it is open. */
export function estimateSize(width: number, height: number): { cols: number; rows: number } {
  const cells = (pixels: number, cell: number, least: number, most: number) =>
    Math.min(most, Math.max(least, Math.floor(pixels / cell)));
  return {
    cols: cells(width - FRAME.width, CELL.width, 20, 300),
    rows: cells(height - FRAME.height, CELL.height, 8, 120),
  };
}
