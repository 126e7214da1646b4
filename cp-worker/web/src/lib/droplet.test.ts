// What is offered first to somebody who orders a droplet.

import { expect, it } from "vitest";
import type { CloudOptions, CloudSize, Droplet } from "./api";
import { modestSize, nearestRegion, sizesIn, waitedFor } from "./droplet";

const size = (slug: string, memory_mb: number): CloudSize => ({
  slug,
  memory_mb,
  vcpus: 1,
  disk_gb: 25,
  price_monthly: memory_mb / 256,
  price_hourly: memory_mb / 1e5,
});

const options: CloudOptions = {
  sizes: [size("half", 512), size("one", 1024), size("two", 2048), size("four", 4096)],
  regions: [
    { slug: "blr1", name: "Bangalore 1", sizes: [] },
    { slug: "ams3", name: "Amsterdam 3", sizes: ["two", "half"] },
    { slug: "nyc3", name: "New York 3", sizes: ["one"] },
  ],
};

it("begins near the browser's time zone, where anything can be had", () => {
  expect(nearestRegion(options, "America/Toronto")?.slug).toBe("nyc3");
  expect(nearestRegion(options, "Europe/Oslo")?.slug).toBe("ams3");
  expect(nearestRegion(options, "UTC")?.slug).toBe("ams3");
  expect(nearestRegion(options, "Asia/Tokyo")?.slug).toBe("ams3");
  expect(nearestRegion({ ...options, sizes: [] }, "Europe/Oslo")).toBeUndefined();
});

it("offers what the region has, and begins with room for an agent", () => {
  const slugs = (sizes: CloudSize[]) => sizes.map(({ slug }) => slug);
  expect(slugs(sizesIn(options, options.regions[1]))).toEqual(["half", "two"]);
  expect(sizesIn(options, undefined)).toEqual([]);
  expect(modestSize(options.sizes)?.slug).toBe("two");
  expect(modestSize(options.sizes.slice(0, 2))?.slug).toBe("half");
  expect(modestSize([])).toBeUndefined();
});

it("counts from the order, ten minutes before the deadline", () => {
  const droplet = { deadline: 1_600_000 } as Droplet;
  expect(waitedFor(droplet, 1_045_000)).toBe(45_000);
  expect(waitedFor(droplet, 900_000)).toBe(0);
  expect(waitedFor({ ...droplet, deadline: null }, 5)).toBe(0);
});
