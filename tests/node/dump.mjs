// The canonical form of a terminal's screen, the same for a headless one and the browser's.

/**
 * Dumps `terminal`. Uses nothing outside of itself, so that it can be sent into a page as text.
 *
 * A cell is `[text, foreground, background, flags]`; the second half of a wide one is null.
 * `state` is what is not cells: modes, cursor, pen, character sets, margins, tab stops. Some of
 * it xterm.js keeps in its core only.
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
      // xterm.js calls links underlined too, which have no style of line.
      ['u', cell.getUnderlineStyle() > 0],
      ['k', cell.isBlink()],
      ['r', cell.isInverse()],
      ['h', cell.isInvisible()],
      ['s', cell.isStrikethrough()],
      ['o', cell.isOverline()],
    ]
      .map(([name, on]) => (on ? name : ''))
      .join('');
  const underlineOf = (cell) => {
    const style = cell.getUnderlineStyle();
    if (style === 0) return '';
    const isDefault = cell.isUnderlineColorDefault();
    const value = colour(isDefault, cell.isUnderlineColorRGB(), cell.getUnderlineColor());
    return `${style > 1 ? style : ''}${isDefault ? '' : value}`;
  };
  const ink = (cell) => [
    colour(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor()),
    colour(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor()),
    flagsOf(cell) + underlineOf(cell),
  ];
  const dumpCell = (cell) =>
    cell.getWidth() === 0 ? null : [cell.getChars() || ' ', ...ink(cell)];

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
  const dumpState = () => {
    const core = terminal._core;
    const { coreService, coreMouseService, buffer: inner } = core;
    const { glevel, _charsets: charsets } = core._charsetService;
    const charset = (set) => (set ? Object.values(set).join('') : '');
    const { synchronizedOutputMode: _, ...modes } = terminal.modes;
    return {
      ...modes,
      screen: buffer.type,
      mouseEncoding: coreMouseService.activeEncoding,
      cursorHidden: coreService.isCursorHidden,
      cursorStyle: coreService.decPrivateModes.cursorStyle,
      cursorBlink: coreService.decPrivateModes.cursorBlink ?? terminal.options.cursorBlink,
      newLineMode: terminal.options.convertEol,
      margins: [inner.scrollTop, inner.scrollBottom],
      tabs: Object.keys(inner.tabs).filter((x) => inner.tabs[x] && x > 0 && x < terminal.cols),
      pen: ink(core._inputHandler._curAttrData),
      shift: glevel,
      charsets: [0, 1, 2, 3].map((g) => charset(charsets[g])),
    };
  };
  const texts = (state) =>
    Object.fromEntries(Object.entries(state).map(([name, value]) => [name, `${value}`]));

  const cursor = [buffer.cursorX, buffer.cursorY];
  const state = texts(dumpState());
  return { cols: terminal.cols, rows: terminal.rows, cursor, lines, history, state };
}
