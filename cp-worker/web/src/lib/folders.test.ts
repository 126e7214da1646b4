// Which folders are offered.

import { expect, it } from "vitest";
import { suggestFolders } from "./folders";

const FOLDERS = ["web/api", "api", "Apiary", "docs", "e", "f", "g", "h"];

it("offers what begins as typed before what contains it", () => {
  expect(suggestFolders(FOLDERS, "api")).toEqual(["api", "Apiary", "web/api"]);
  expect(suggestFolders(FOLDERS, " DOC ")).toEqual(["docs"]);
  expect(suggestFolders(FOLDERS, "nothing")).toEqual([]);
});

it("offers a few of all, and nothing when it is typed out", () => {
  expect(suggestFolders(FOLDERS, "")).toHaveLength(6);
  expect(suggestFolders(FOLDERS, "docs")).toEqual([]);
});
