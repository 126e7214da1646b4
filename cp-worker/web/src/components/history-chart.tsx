// One figure over the last day, as a small area.

import { CHART_MS, lines, summary, type Figure, type Point } from "@/lib/history";
import type { History } from "@/lib/api";

/** The drawing's own units; it is stretched to its place. */
const WIDTH = 240;
const HEIGHT = 40;

/** Units across which a sample without neighbours is drawn. */
const LEAST_WIDTH = 4;

interface HistoryChartProps {
  label: string;
  history: History;
  figure: Figure;
  now: number;
}

export function HistoryChart({ label, history, figure, now }: HistoryChartProps) {
  const drawn = lines(history, figure, now);
  const hours = CHART_MS / 3_600_000;
  return (
    <figure className="mt-3">
      <svg
        role="img"
        aria-label={`${label}, ${summary(history, figure)}`}
        data-testid="history-chart"
        data-figure={figure}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-12 w-full rounded-xs bg-muted/60"
      >
        {drawn.map((line) => (
          <g key={line[0]?.x}>
            <path d={area(line)} className="fill-live/18" />
            <path
              d={outline(line)}
              className="fill-none stroke-live"
              strokeWidth={1.5}
              vectorEffect="non-scaling-stroke"
              strokeLinejoin="round"
            />
          </g>
        ))}
      </svg>
      <figcaption
        aria-hidden
        className="mt-1 flex justify-between text-[11px] text-muted-foreground"
      >
        <span>{drawn.length === 0 ? "Nothing recorded yet" : `${hours} h ago`}</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

const place = ({ x, y }: Point): string =>
  `${(x * WIDTH).toFixed(1)} ${((1 - y) * (HEIGHT - 2) + 1).toFixed(1)}`;

/** The line from its first to its last point, at least as long as can be seen. */
function outline(line: Point[]): string {
  const last = line.at(-1);
  const first = line[0];
  if (first === undefined || last === undefined) return "";
  const start = Math.min(first.x, last.x - LEAST_WIDTH / WIDTH);
  return [{ ...first, x: start }, ...line]
    .map((point, at) => `${at ? "L" : "M"}${place(point)}`)
    .join("");
}

function area(line: Point[]): string {
  const last = line.at(-1);
  const first = line[0];
  if (first === undefined || last === undefined) return "";
  const start = Math.min(first.x, last.x - LEAST_WIDTH / WIDTH) * WIDTH;
  return `${outline(line)}L${(last.x * WIDTH).toFixed(1)} ${HEIGHT}L${start.toFixed(1)} ${HEIGHT}Z`;
}
