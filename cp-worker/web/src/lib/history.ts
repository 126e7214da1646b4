// A day of health as lines to draw and as a sentence to read.

import type { GatewayHealth } from "@/protocol/generated/events";
import type { History, Sample } from "./api";
import { percentOf } from "./format";

/** Milliseconds that a chart shows. */
export const CHART_MS = 24 * 3_600_000;

/** Intervals without a sample after which a line is broken rather than drawn through. */
const GAP_INTERVALS = 2.5;

export type Figure = "cpu_percent" | "ram_percent" | "disk_percent";

/** A place in a chart; both from 0 to 1, `y` upwards. */
export interface Point {
  x: number;
  y: number;
}

/** The history with what health says now: each interval keeps its newest sample. */
export function withHealth(history: History, health: GatewayHealth): History {
  const { interval_ms } = history;
  const samples = history.samples.filter(({ at }) => at > health.timestamp - CHART_MS);
  const [before, last] = [samples.at(-2), samples.at(-1)];
  if (last !== undefined && last.at >= health.timestamp) return history;
  if (before !== undefined && last !== undefined && last.at - before.at < interval_ms)
    samples.pop();
  return { interval_ms, samples: [...samples, sampleOf(health)] };
}

function sampleOf(health: GatewayHealth): Sample {
  return {
    at: health.timestamp,
    cpu_percent: health.cpu_percent,
    ram_percent: percentOf(health.ram_used_bytes, health.ram_total_bytes),
    disk_percent: percentOf(health.disk_used_bytes, health.disk_total_bytes),
  };
}

/** The unbroken lines of one figure; the newest sample may be a little ahead of `now`. */
export function lines({ samples, interval_ms }: History, figure: Figure, now: number): Point[][] {
  const found: Point[][] = [];
  const end = Math.max(now, samples.at(-1)?.at ?? now);
  let before = -Infinity;
  for (const sample of samples) {
    const x = 1 - (end - sample.at) / CHART_MS;
    if (x < 0) continue;
    if (sample.at - before > interval_ms * GAP_INTERVALS) found.push([]);
    found.at(-1)?.push({ x, y: Math.min(100, Math.max(0, sample[figure])) / 100 });
    before = sample.at;
  }
  return found;
}

/** What the chart shows, for those who do not see it. */
export function summary({ samples }: History, figure: Figure): string {
  if (samples.length === 0) return "no figures of the last 24 hours";
  const values = samples.map((sample) => sample[figure]);
  const percent = (value: number) => `${Math.round(value)} %`;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `last 24 hours: ${percent(mean)} on average, between ${percent(least)} and ${percent(most)}`;
}
