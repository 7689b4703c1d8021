import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";

test("the script holds nothing that a strict policy would refuse", () => {
  const script = readFileSync(new URL("../dist/embed.js", import.meta.url), "utf8");

  expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
});
