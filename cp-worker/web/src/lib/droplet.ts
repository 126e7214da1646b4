// Choosing a droplet, and how long one has been waited for.

import type { CloudOptions, CloudRegion, CloudSize, Droplet } from "./api";

/** Milliseconds within which a new droplet's gateway must come. */
export const PROVISIONING_MS = 10 * 60_000;

/** Megabytes with which an agent and a build beside it are comfortable. */
const COMFORTABLE_MB = 2048;

/** What a droplet is preferred near to, by the continent of the browser's time zone. */
const NEAR: Record<string, string> = {
  Africa: "ams",
  America: "nyc",
  Asia: "sgp",
  Australia: "syd",
  Europe: "ams",
  Pacific: "syd",
};

/** Milliseconds since a droplet that is provisioned was ordered. */
export function waitedFor({ deadline }: Droplet, now: number): number {
  return deadline === null ? 0 : Math.max(0, now - (deadline - PROVISIONING_MS));
}

/** The sizes that can be had in a region, in the order of their prices. */
export function sizesIn({ sizes }: CloudOptions, region: CloudRegion | undefined): CloudSize[] {
  return sizes.filter(({ slug }) => region?.sizes.includes(slug));
}

/** The region to begin with: one near the time zone that has anything to offer. */
export function nearestRegion(options: CloudOptions, timeZone: string): CloudRegion | undefined {
  const open = options.regions.filter((region) => sizesIn(options, region).length > 0);
  const near = NEAR[timeZone.split("/")[0] ?? ""] ?? "ams";
  return open.find(({ slug }) => slug.startsWith(near)) ?? open[0];
}

/** The size to begin with: the cheapest in which an agent is comfortable. */
export function modestSize(sizes: CloudSize[]): CloudSize | undefined {
  return sizes.find(({ memory_mb }) => memory_mb >= COMFORTABLE_MB) ?? sizes[0];
}
