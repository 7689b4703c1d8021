/** Where things are on the screens, said once. */

import { expect, type Locator, type Page } from "@playwright/test";
import type { Leadline } from "./server";

/** A card is a link that begins with the lead's name. */
export function boardCard(page: Page, name: string): Locator {
  return page.locator("[data-card]").filter({ hasText: name });
}

interface Visitor {
  name: string;
  email: string;
}

export async function submitDemoForm(page: Page, { origin }: Leadline, visitor: Visitor, { isOpen = false } = {}): Promise<void> {
  if (!isOpen) await page.goto(`${origin}/demo`);
  await page.getByLabel(/name/i).first().fill(visitor.name);
  await page.getByLabel(/e-?mail/i).fill(visitor.email);
  await page.locator("form").getByRole("button").first().click();
}

/** Opens a screen and waits until it shows what it asked for: nothing is pending, and nothing has failed. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await expect(page.locator(".mantine-Skeleton-root")).toHaveCount(0);
  await expect(page.getByRole("alert")).toHaveCount(0);
}
