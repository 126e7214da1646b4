// A day of health: what is kept, drawn and said.

import { expect, it } from "vitest";
import type { GatewayHealth } from "@/protocol/generated/events";
import type { History, Sample } from "./api";
import { CHART_MS, lines, summary, withHealth } from "./history";

const MINUTE = 60_000;
const NOW = 2 * CHART_MS;

const sample = (at: number, cpu_percent: number): Sample => ({
  at,
  cpu_percent,
  ram_percent: 50,
  disk_percent: 90,
});

const health = (timestamp: number, cpu_percent: number): GatewayHealth => ({
  type: "gateway.health",
  schema_version: "1",
  timestamp,
  cpu_percent,
  ram_used_bytes: 1,
  ram_total_bytes: 4,
  disk_used_bytes: 0,
  disk_total_bytes: 0,
  uptime_seconds: 1,
  sessions: [],
});

const of = (...samples: Sample[]): History => ({ interval_ms: 5 * MINUTE, samples });

it("keeps the newest health of an interval", () => {
  const first = withHealth(of(sample(NOW, 1)), health(NOW + MINUTE, 2));
  const second = withHealth(first, health(NOW + 2 * MINUTE, 3));
  expect(second.samples.map(({ cpu_percent }) => cpu_percent)).toEqual([1, 3]);
  expect(second.samples.at(-1)).toMatchObject({ ram_percent: 25, disk_percent: 0 });
  const later = withHealth(second, health(NOW + 7 * MINUTE, 4));
  expect(later.samples).toHaveLength(2);
  expect(withHealth(later, health(NOW + 13 * MINUTE, 5)).samples).toHaveLength(3);
});

it("forgets what is older than a day, and takes nothing that is old", () => {
  const day = withHealth(of(sample(NOW - CHART_MS, 1)), health(NOW, 2));
  expect(day.samples.map(({ at }) => at)).toEqual([NOW]);
  expect(withHealth(day, health(NOW - MINUTE, 9))).toBe(day);
});

it("breaks a line where nobody watched", () => {
  const at = (minutes: number, cpu: number) => sample(NOW - minutes * MINUTE, cpu);
  const drawn = lines(of(at(60, 10), at(55, 20), at(10, 150), at(5, -3)), "cpu_percent", NOW);
  expect(drawn.map((line) => line.length)).toEqual([2, 2]);
  expect(drawn[0]?.[0]).toEqual({ x: 1 - (60 * MINUTE) / CHART_MS, y: 0.1 });
  expect(drawn[1]?.map(({ y }) => y)).toEqual([1, 0]);
  expect(lines(of(sample(0, 1)), "cpu_percent", NOW)).toEqual([]);
  expect(lines(of(sample(NOW + MINUTE, 1)), "cpu_percent", NOW)).toEqual([[{ x: 1, y: 0.01 }]]);
});

it("says what the lines show", () => {
  expect(summary(of(sample(1, 0), sample(2, 41)), "cpu_percent")).toBe(
    "last 24 hours: 21 % on average, between 0 % and 41 %",
  );
  expect(summary(of(), "cpu_percent")).toBe("no figures of the last 24 hours");
});
