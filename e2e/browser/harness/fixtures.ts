import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type APIRequestContext, type BrowserContext, expect, test as base, type Page } from "@playwright/test";
import { Leadline } from "./server";

interface Fixtures {
  /** A server with the demo workspace; one per test. */
  leadline: Leadline;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the needed fixtures off the pattern.
  leadline: async ({}, use) => {
    const leadline = await Leadline.start();
    await use(leadline);
    await leadline.stop();
  },
  context: async ({ context }, use) => {
    await delay(context, Number(process.env.LEADLINE_DELAY_MS ?? 0));
    await use(context);
  },
});

export { expect };

/** Each request is late by up to so much, as on a far and busy server: what counts on a quick answer fails. */
async function delay(context: BrowserContext, mostMs: number): Promise<void> {
  if (mostMs === 0) return;
  await context.route(/\/v1\/(?!live)/, async (route) => {
    await setTimeout(Math.random() * mostMs);
    // A page that is left takes its requests along.
    await route.continue().catch(() => undefined);
  });
}

/** Signs in through the page, as a person does, and ends on the board. */
export async function signIn(page: Page, { origin, credentials }: Leadline): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel(/e-?mail/i).fill(credentials.email);
  await page.getByLabel(/password/i).first().fill(credentials.password);
  await page.getByRole("button", { name: /sign in/i }).click();
  await page.waitForURL("**/board");
  // The keys of the dashboard are there with it.
  await expect(page.getByRole("heading", { level: 1, name: "Board" })).toBeVisible();
}

/** The API in the name of whoever is signed in in this browser context. */
export class Api {
  private constructor(
    private readonly request: APIRequestContext,
    private readonly origin: string,
    private readonly csrfToken: string,
  ) {}

  static async of(context: BrowserContext, { origin, credentials }: Leadline): Promise<Api> {
    const answer = await context.request.post(`${origin}/v1/session`, { data: credentials });
    if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
    return new Api(context.request, origin, (await answer.json()).csrfToken);
  }

  async get<T>(path: string): Promise<T> {
    const answer = await this.request.get(this.origin + path);
    if (!answer.ok()) throw new Error(`GET ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  }

  async post<T>(path: string, data: object): Promise<T> {
    const headers = { "X-CSRF-Token": this.csrfToken };
    const answer = await this.request.post(this.origin + path, { data, headers });
    if (!answer.ok()) throw new Error(`POST ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  }

  async patch<T>(path: string, data: object): Promise<T> {
    const headers = { "X-CSRF-Token": this.csrfToken };
    const answer = await this.request.patch(this.origin + path, { data, headers });
    if (!answer.ok()) throw new Error(`PATCH ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  }
}

/** Cases that others wrote. They are not part of the project, and a run without them must not look like a pass. */
export function sharedCases(file: string): string[] {
  const path = fileURLToPath(new URL(`../../../../shared/cases/${file}`, import.meta.url));
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`the cases are not there: this test reads ../shared/cases/${file} beside the project`, { cause: error });
  }
}
