// Keeps xterm.js from answering terminal queries: tmux has answered them already.
//
// What tmux does not know is swallowed with them: the session's screen is the one that tmux keeps.
//
// Answers leave xterm.js through `onData`, where they cannot be told from keystrokes; so the
// queries are swallowed in the parser. Its handlers see C1 forms too, raw or as UTF-8.

/** Something that can be undone. */
interface Disposable {
  dispose(): void;
}

/** Names a sequence as xterm.js does. */
interface FunctionId {
  prefix?: string;
  intermediates?: string;
  final: string;
}

/** The part of xterm.js that is needed here, the same in the browser and under Node. */
interface MutableTerminal {
  readonly parser: {
    registerCsiHandler(
      id: FunctionId,
      handler: (params: (number | number[])[]) => boolean,
    ): Disposable;
    registerDcsHandler(id: FunctionId, handler: () => boolean): Disposable;
    registerOscHandler(code: number, handler: (data: string) => boolean): Disposable;
  };
}

/** CSI sequences that are nothing but queries. */
const CSI_QUERIES: FunctionId[] = [
  { final: "c" }, // DA1
  { prefix: ">", final: "c" }, // DA2
  { prefix: "=", final: "c" }, // DA3
  { final: "n" }, // DSR, CPR
  { prefix: "?", final: "n" }, // DECXCPR, colour scheme
  { intermediates: "$", final: "p" }, // DECRQM
  { prefix: "?", intermediates: "$", final: "p" }, // DECRQM, private modes
  { prefix: ">", final: "q" }, // XTVERSION
  { prefix: "?", final: "u" }, // kitty keyboard flags
  { prefix: "?", final: "m" }, // XTQMODKEYS
];

/** CSI sequences that no version of tmux obeys (3.1c to 3.8), and xterm.js would. */
const CSI_UNKNOWN_TO_TMUX: FunctionId[] = [
  { intermediates: "!", final: "p" }, // DECSTR, soft reset
  { final: "I" }, // CHT, forward by tab stops
  { final: "a" }, // HPR, right
  { final: "e" }, // VPR, down
];

/** Window operations (`CSI Ps t`) that ask for a report; the others set something. */
const WINDOW_REPORTS = new Set([11, 13, 14, 15, 16, 18, 19, 20, 21]);

/** DCS sequences that are nothing but queries. */
const DCS_QUERIES: FunctionId[] = [
  { intermediates: "$", final: "q" }, // DECRQSS
  { intermediates: "+", final: "q" }, // XTGETTCAP
];

/** OSC codes that set colours or the clipboard, and ask for them where a part is `?`. */
const OSC_WITH_QUERIES = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 52];

/**
 * Mutes `terminal`. Handlers that were registered later are asked first, so call this after all
 * addons are loaded: the clipboard addon answers OSC 52 queries by itself.
 */
export function muteQueries(terminal: MutableTerminal): Disposable {
  const { parser } = terminal;
  const handlers: Disposable[] = [
    ...[...CSI_QUERIES, ...CSI_UNKNOWN_TO_TMUX].map((id) => parser.registerCsiHandler(id, () => true)),
    parser.registerCsiHandler({ final: "t" }, ([operation]) =>
      WINDOW_REPORTS.has(Number(operation)),
    ),
    ...DCS_QUERIES.map((id) => parser.registerDcsHandler(id, () => true)),
    ...OSC_WITH_QUERIES.map((code) => parser.registerOscHandler(code, asksForSomething)),
  ];
  return { dispose: () => handlers.forEach((handler) => handler.dispose()) };
}

function asksForSomething(data: string): boolean {
  return data.split(";").includes("?");
}
