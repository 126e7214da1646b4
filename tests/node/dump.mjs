// The canonical form of a terminal's screen, the same for a headless one and the browser's.

/**
 * Dumps `terminal`. Uses nothing outside of itself, so that it can be sent into a page as text.
 *
 * A cell is `[text, foreground, background, flags]`; the second half of a wide one is null.
 */
export function dumpTerminal(terminal) {
  const colour = (isDefault, isRgb, value) => {
    if (isDefault) return '-';
    return isRgb ? `#${value.toString(16).padStart(6, '0')}` : `${value}`;
  };
  const flagsOf = (cell) =>
    [
      ['b', cell.isBold()],
      ['d', cell.isDim()],
      ['i', cell.isItalic()],
      ['u', cell.isUnderline()],
      ['k', cell.isBlink()],
      ['r', cell.isInverse()],
      ['h', cell.isInvisible()],
      ['s', cell.isStrikethrough()],
      ['o', cell.isOverline()],
    ]
      .map(([name, on]) => (on ? name : ''))
      .join('');
  const dumpCell = (cell) => {
    if (cell.getWidth() === 0) return null;
    const fg = colour(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor());
    const bg = colour(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor());
    return [cell.getChars() || ' ', fg, bg, flagsOf(cell)];
  };

  const buffer = terminal.buffer.active;
  const lines = [];
  for (let y = 0; y < terminal.rows; y += 1) {
    const line = buffer.getLine(buffer.baseY + y);
    lines.push(Array.from({ length: terminal.cols }, (_, x) => dumpCell(line.getCell(x))));
  }
  const history = [];
  for (let y = 0; y < buffer.baseY; y += 1) {
    const line = buffer.getLine(y);
    const text = line.translateToString(true);
    if (line.isWrapped && history.length > 0) history[history.length - 1] += text;
    else history.push(text);
  }
  const cursor = [buffer.cursorX, buffer.cursorY];
  return { cols: terminal.cols, rows: terminal.rows, cursor, lines, history };
}
