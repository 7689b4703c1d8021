import type { Page } from "@playwright/test";
import { expect, test as base } from "./fixtures";

const SETTINGS = {
  phoneNumber: "+491701234567",
  nameField: true,
  color: "#25d366",
  position: "right",
  greeting: "How can we help?",
  consentText: "We use your number to answer you. Ask us at any time to forget it.",
};
const TAG = `<script async src="HOST/w/w1.js"></script>`;

/** The words of a page that does not want us, or does not know that it hurts. */
const HOSTILE_CSS = `
  *, *::before, *::after { all: unset !important; }
  * { display: none !important; opacity: 0 !important; visibility: hidden !important; transform: scale(0) !important; }
  * { position: static !important; pointer-events: none !important; font-size: 0 !important; color: transparent !important; }
  html, body { display: block !important; opacity: 1 !important; visibility: visible !important; transform: none !important; font-size: 30px !important; }
  body { overflow: hidden !important; filter: blur(4px) !important; }
  div:empty, html > div { display: none !important; height: 0 !important; }
  dialog, button, input, label, form { display: none !important; }`;

const STRICT =
  "default-src 'none'; script-src HOST; connect-src HOST; style-src 'none'; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const test = base.extend<{ prepared: undefined }>({
  prepared: [
    async ({ page, leadline }, use) => {
      leadline.widgetSettings = SETTINGS;
      leadline.accepts({ redirectUrl: "https://wa.me/491701234567?text=Hi" });
      await page.route("https://wa.me/**", (route) =>
        route.fulfill({ contentType: "text/html", body: "<!doctype html><title>WhatsApp</title><h1>WhatsApp</h1>" }),
      );
      await use(undefined);
    },
    { auto: true },
  ],
});

async function openShadowRoots(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (init) {
      return attach.call(this, { ...init, mode: "open" });
    };
  });
}

async function useWidget(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Chat on WhatsApp" }).click();
  await page.getByLabel("Phone").fill("+442079460001");
  await page.getByLabel("Message").fill("Hi");
  await page.getByRole("button", { name: "Continue on WhatsApp" }).click();
  await expect(page).toHaveTitle("WhatsApp");
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [device, viewport] of Object.entries({ desktop: { width: 1280, height: 800 }, phone: { width: 360, height: 640 } })) {
    test(`a page whose styles hide and undo everything does not reach in: ${device}, ${colorScheme}`, async ({ page, site, leadline, faults }, info) => {
      await openShadowRoots(page);
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await page.goto(site.serve(`<style>${HOSTILE_CSS}</style><p>Words of the page</p>${TAG}`, { tag: null }));

      const opener = page.getByRole("button", { name: "Chat on WhatsApp" });
      await expect(opener).toBeVisible();
      expect(await opener.boundingBox()).toMatchObject({ width: 56, height: 56 });
      await page.screenshot({ path: info.outputPath("closed.png") });
      await opener.click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await page.screenshot({ path: info.outputPath("open.png"), animations: "disabled" });
      const box = await page.getByLabel("Phone").boundingBox();
      expect(box?.height).toBeGreaterThan(34);
      const scrolls = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect(scrolls).toBe(false);
      await page.keyboard.press("Escape");
      await useWidget(page);

      expect((await leadline.post()).fields.phone).toBe("+442079460001");
      expect(faults).toEqual([]);
    });
  }
}

test("its words are easy to read in both themes", async ({ page, site }) => {
  await openShadowRoots(page);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto(site.serve(TAG, { tag: null }));
    await page.getByRole("button", { name: "Chat on WhatsApp" }).click();

    const contrasts = await page.getByRole("dialog").evaluate((dialog) => {
      const parts = (text: string) => (text.match(/[\d.]+/g) ?? []).map(Number);
      const light = (color: string) => {
        const [r, g, b] = parts(color).map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * Number(r) + 0.7152 * Number(g) + 0.0722 * Number(b);
      };
      const under = (element: Element): string => {
        const color = getComputedStyle(element).backgroundColor;
        return parts(color)[3] === 0 && element.parentElement ? under(element.parentElement) : color;
      };
      return [...dialog.querySelectorAll("h2,label,p:not(:empty),button,input")].map((element) => {
        const [one, other] = [light(getComputedStyle(element).color), light(under(element))].sort((a, b) => b - a);
        return [element.textContent, (Number(one) + 0.05) / (Number(other) + 0.05)] as const;
      });
    });

    expect(contrasts.length).toBeGreaterThan(6);
    for (const [text, contrast] of contrasts) expect(contrast, `${colorScheme}: ${text}`).toBeGreaterThanOrEqual(4.5);
  }
});

test("a page with a strict policy and Trusted Types has nothing to report, and the widget its looks", async ({ page, site, leadline, faults }) => {
  await openShadowRoots(page);
  await page.goto(site.serve(TAG, { tag: null, csp: STRICT }));

  await expect(page.getByRole("button", { name: "Chat on WhatsApp" })).toHaveCSS("border-radius", "50%");
  await useWidget(page);

  expect((await leadline.post()).fields.message).toBe("Hi");
  expect(faults).toEqual([]);
});

for (const [how, overridden] of Object.entries({
  throws: () => {
    window.fetch = () => {
      throw new Error("no");
    };
  },
  "answers nonsense": () => {
    window.fetch = async () => new Response("<html>");
  },
  "is nothing": () => {
    (window as { fetch?: unknown }).fetch = undefined;
  },
})) {
  test(`a page whose fetch ${how} loses nobody`, async ({ page, site, leadline }) => {
    await openShadowRoots(page);
    await page.addInitScript(overridden);
    await page.goto(site.serve(TAG, { tag: null }));

    await useWidget(page);

    expect((await leadline.post()).fields.phone).toBe("+442079460001");
    expect(leadline.received).toHaveLength(1);
  });
}

test("a fetch that never answers is not waited for", async ({ page, site, leadline }) => {
  await openShadowRoots(page);
  await page.clock.install();
  await page.addInitScript(() => {
    window.fetch = () => new Promise(() => {});
  });
  await page.goto(site.serve(TAG, { tag: null }));
  await page.getByRole("button", { name: "Chat on WhatsApp" }).click();
  await page.getByLabel("Phone").fill("+442079460001");
  await page.getByRole("button", { name: "Continue on WhatsApp" }).click();

  await page.clock.runFor(5_000);

  await expect(page).toHaveTitle("WhatsApp");
  expect(leadline.received).toHaveLength(1);
});

test("a page that denies storage still sends, and is told when nothing could be kept", async ({ page, site, leadline, faults }) => {
  await openShadowRoots(page);
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
  });
  leadline.isDown();
  await page.goto(site.serve(TAG, { tag: null }));
  await page.getByRole("button", { name: "Chat on WhatsApp" }).click();
  await page.getByLabel("Phone").fill("+442079460001");
  await page.getByRole("button", { name: "Continue on WhatsApp" }).click();
  await expect(page.getByRole("status")).toContainText("Please keep this page open.");

  leadline.accepts();
  const before = leadline.received.length;
  await page.evaluate(() => window.dispatchEvent(new Event("online")));

  expect((await leadline.post(before + 1)).fields.phone).toBe("+442079460001");
  expect(faults).toEqual([]);
});

test("nothing moves for who asked for that", async ({ page, site }) => {
  await openShadowRoots(page);
  const animations = async (reducedMotion: "reduce" | "no-preference") => {
    await page.emulateMedia({ reducedMotion });
    await page.goto(site.serve(TAG, { tag: null }));
    await page.getByRole("button", { name: "Chat on WhatsApp" }).click();
    return page.getByRole("dialog").evaluate((dialog) => getComputedStyle(dialog).animationName);
  };

  expect(await animations("reduce")).toBe("none");
  expect(await animations("no-preference")).toBe("up");
});

test("the page cannot look in, and its shortcuts hear nothing of what is typed", async ({ page, site }) => {
  const listening = `<script src="/keys"></script>`;
  await page.addInitScript(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    document.addEventListener("keydown", (event) => heard.push(event.key));
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (init) {
      const root = attach.call(this, init);
      Object.assign(window, { root });
      return root;
    };
  });
  await page.goto(site.serve(TAG + listening, { tag: null }));
  await page.waitForFunction(() => (window as unknown as { root?: ShadowRoot }).root);

  const isOpen = await page.evaluate(() => [...document.querySelectorAll("*")].some((element) => element.shadowRoot));
  await page.evaluate(() => {
    const { root } = window as unknown as { root: ShadowRoot };
    root.querySelector("button")?.click();
    root.querySelector<HTMLElement>("textarea")?.focus();
  });
  await page.keyboard.type("gx");

  expect(isOpen).toBe(false);
  expect(await page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toEqual([]);
  expect(await page.evaluate(() => (window as unknown as { root: ShadowRoot }).root.querySelector("textarea")?.value)).toBe("gx");
});

test("beside the script for forms, each sends its own once", async ({ page, site, leadline }) => {
  await openShadowRoots(page);
  await page.goto(site.serve(TAG));

  await useWidget(page);

  await leadline.post();
  expect(leadline.received).toHaveLength(1);
});
