/** What a person without a mouse does, and what they need to see. */

import { expect, type Locator, type Page } from "@playwright/test";
import { settled } from "./axe";

export const TABS_AT_MOST = 60;

/** Presses Tab until the element has the focus, as a person without a mouse would. */
export async function tabTo(page: Page, target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < TABS_AT_MOST; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${TABS_AT_MOST} times ${key} did not reach ${target}`);
}

/** Goes down in the menu that was just opened, and takes the entry. */
export async function chooseFromMenu(page: Page, name: string): Promise<void> {
  const menu = page.getByRole("menu");
  // A menu takes the focus a moment after it is shown.
  await expect(menu.locator(":focus")).toHaveCount(1);
  const entries = await menu.getByRole("menuitem").allTextContents();
  for (const entry of entries.slice(0, entries.indexOf(name) + 1)) {
    await page.keyboard.press("ArrowDown");
    await expect(menu.getByRole("menuitem", { name: entry, exact: true })).toBeFocused();
  }
  await page.keyboard.press("Enter");
  await expect(menu).toHaveCount(0);
}

/** Types the first letters of an option of the browser's own list that has the focus, once the option is there. */
export async function typeOption(page: Page, list: Locator, letters: string, option: string): Promise<void> {
  await expect(list).toBeFocused();
  await expect(list.getByRole("option", { name: option, exact: true })).toBeAttached();
  await page.keyboard.type(letters);
  await expect(list.locator("option:checked")).toHaveText(option);
}

/** Opens the list of the field that has the focus, goes down in it, and takes the option. */
export async function chooseOption(page: Page, name: string): Promise<void> {
  await page.keyboard.press("ArrowDown");
  const options = page.getByRole("option");
  await expect(options.first()).toBeVisible();
  const chosen = page.locator("[role=option][data-combobox-selected]");
  for (let presses = 0; presses < (await options.count()); presses++) {
    if ((await chosen.textContent()) === name) break;
    await page.keyboard.press("ArrowDown");
  }
  await expect(chosen).toHaveText(name);
  await page.keyboard.press("Enter");
  await expect(options).toHaveCount(0);
}

/** Everything that Tab reaches from the first to the last of them, by the names that a screen reader says. */
export async function tabStops(page: Page, first: Locator, last: Locator): Promise<string[]> {
  await expect(first).toBeFocused();
  const names: string[] = [];
  for (let presses = 0; presses < TABS_AT_MOST; presses++) {
    const stop = page.locator(":focus");
    names.push(await nameOf(stop));
    await expectFocusSeen(page);
    if (await last.evaluate((element) => element === document.activeElement)) return names;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${TABS_AT_MOST} times Tab did not reach ${last}, but ${names.join(", ")}`);
}

async function nameOf(stop: Locator): Promise<string> {
  const name = /"((?:[^"\\]|\\.)*)"/.exec(await stop.ariaSnapshot())?.[1];
  return name ?? "something without a name";
}

/** The focus changes how its element looks: its outline, its border or its shadow, or those of what stands around it. */
export async function expectFocusSeen(page: Page): Promise<void> {
  await settled(page);
  const isSeen = await page.evaluate(async () => {
    const focused = document.activeElement;
    if (!(focused instanceof HTMLElement) || focused === document.body) return false;
    const around = [focused, focused.parentElement, focused.parentElement?.parentElement, focused.nextElementSibling];
    const looks = () =>
      around.map((element) => {
        if (!element) return "";
        const { outlineStyle, outlineWidth, outlineColor, borderColor, boxShadow } = getComputedStyle(element);
        return [outlineStyle === "none" ? "" : outlineStyle + outlineWidth + outlineColor, borderColor, boxShadow].join();
      });
    const before = looks().join(";");
    focused.blur();
    await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
    const without = looks().join(";");
    focused.focus();
    return before !== without;
  });
  expect(isSeen, `what has the focus looks as without it: ${await page.locator(":focus").ariaSnapshot()}`).toBe(true);
}

/** Tab goes round in an open dialog and never out of it. */
export async function expectTrapped(page: Page, dialog: Locator): Promise<void> {
  await expect(dialog.locator(":focus")).toHaveCount(1);
  for (let presses = 0; presses < 8; presses++) {
    await page.keyboard.press("Tab");
    await expect(dialog.locator(":focus")).toHaveCount(1);
  }
}
