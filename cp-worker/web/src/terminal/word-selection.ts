// Selects the word under a finger, and from it to wherever the finger goes.

import type { Terminal } from "@xterm/xterm";

/** A cell of the buffer, its history included. */
export interface Cell {
  col: number;
  row: number;
}

/** What ends a word: as with a double click, a path or an address stays whole. */
const BETWEEN_WORDS = /[\s()[\]{}'"`<>|,;]/;

/** First and last cell of the word at `col`; the cell alone where there is no word. */
export function wordAround(line: string, col: number): [number, number] {
  const isWord = (at: number) => at >= 0 && at < line.length && !BETWEEN_WORDS.test(line[at] ?? " ");
  if (!isWord(col)) return [col, col];
  let [first, last] = [col, col];
  while (isWord(first - 1)) first -= 1;
  while (isWord(last + 1)) last += 1;
  return [first, last];
}

export class WordSelection {
  private readonly first: Cell;
  private readonly last: Cell;

  constructor(
    private readonly terminal: Pick<Terminal, "cols" | "buffer" | "select">,
    cell: Cell,
  ) {
    const [from, to] = wordAround(this.lineAt(cell.row), cell.col);
    this.first = { row: cell.row, col: from };
    this.last = { row: cell.row, col: to };
    this.select(this.first, this.last);
  }

  extendTo(cell: Cell): void {
    if (isBefore(cell, this.first)) this.select(cell, this.last);
    else this.select(this.first, isBefore(this.last, cell) ? cell : this.last);
  }

  private select(from: Cell, to: Cell): void {
    const { cols } = this.terminal;
    this.terminal.select(from.col, from.row, (to.row - from.row) * cols + to.col - from.col + 1);
  }

  /** One character for each cell, whatever stands in it. */
  private lineAt(row: number): string {
    const line = this.terminal.buffer.active.getLine(row);
    let text = "";
    for (let col = 0; line !== undefined && col < line.length; col += 1) {
      const cell = line.getCell(col);
      // The second half of a wide character belongs to the first.
      text += cell?.getWidth() === 0 ? "_" : (cell?.getChars() || " ").charAt(0);
    }
    return text;
  }
}

function isBefore(a: Cell, b: Cell): boolean {
  return a.row < b.row || (a.row === b.row && a.col < b.col);
}
