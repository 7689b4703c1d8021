/** Listens for anything that a stored text could set off in the dashboard. Whatever it hears is a fault of ours. */

import type { BrowserContext } from "@playwright/test";

declare global {
  interface Window {
    reportFault: (what: string) => Promise<void>;
  }
}

export async function guard(context: BrowserContext, origin: string): Promise<string[]> {
  const faults: string[] = [];
  await context.exposeFunction("reportFault", (what: string) => faults.push(what));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      window.reportFault(`violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
    });
    for (const name of ["alert", "confirm", "prompt", "print"] as const) {
      Object.defineProperty(window, name, { value: (text: unknown) => window.reportFault(`${name}: ${text}`) });
    }
  });
  context.on("dialog", async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  context.on("console", (message) => {
    if (/content security policy|trusted type/i.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => faults.push(`error: ${error.error().stack ?? error.error().message}`));
  context.on("request", (request) => {
    const { protocol } = new URL(request.url());
    if (/^https?:$/.test(protocol) && !request.url().startsWith(`${origin}/`)) faults.push(`request: ${request.url()}`);
  });
  context.on("page", (page) => {
    page.on("popup", (popup) => faults.push(`popup: ${popup.url()}`));
  });
  return faults;
}
