/**
 * The script that a website loads: `<script async src="https://HOST/embed.js" data-site="SITEKEY"></script>`.
 * Calls made before it arrives wait in `leadline.q`:
 * `window.leadline=window.leadline||function(){(leadline.q=leadline.q||[]).push(arguments)}`.
 */

import { forgetVisits, noteVisit } from "./attribution";
import { readConfig } from "./config";
import { contextFields, type Fields, isSecret, toBody } from "./fields";
import { announceOutcome, formUrl, startForms } from "./forms";
import { newId } from "./ids";
import { attempt, enqueue, startQueue } from "./queue";
import { report, startTracker } from "./tracker";
import { setConsent } from "./visitor";

type Command = (...args: unknown[]) => unknown;

interface Api extends Command {
  q?: ArrayLike<unknown>[];
  isLoaded?: boolean;
}

function start(): void {
  const host = window as Window & { leadline?: Api };
  const config = readConfig();
  if (!config || host.leadline?.isLoaded) return;
  const { base } = config;

  const commands: Record<string, Command> = {
    consent: (granted) => {
      setConsent(granted === true);
      if (granted === true) noteVisit();
      else forgetVisits();
      report();
    },
    submit: (key, fields) => submit(base, String(key), fields as Fields),
  };
  const call: Api = (name, ...args) => {
    try {
      return commands[String(name)]?.(...args);
    } catch {
      return undefined;
    }
  };

  const waiting = host.leadline?.q ?? [];
  call.isLoaded = true;
  host.leadline = call;
  if (config.consentRequired) setConsent(false);
  for (const args of Array.from(waiting)) call(...Array.from(args));
  noteVisit();
  startForms(base);
  startQueue(base, (entry, outcome) => outcome.state !== "queued" && announceOutcome(document, entry, outcome));
  if (config.trackerUrl) startTracker(config.trackerUrl);
}

/** For pages without a `<form>`: `leadline("submit", formKey, {email: "…"})`. Resolves to what became of it. */
async function submit(base: string, key: string, fields: Fields): Promise<unknown> {
  const own = Object.fromEntries(Object.entries(fields).filter(([name]) => !isSecret(name)));
  const submissionId = String(fields.submissionId || newId());
  const entry = enqueue(submissionId, formUrl(base, key), toBody(own, { ...contextFields(), submissionId }));
  const outcome = await attempt(entry);
  announceOutcome(document, entry, outcome);
  return { submissionId, ...outcome };
}

try {
  start();
} catch {
  // A page is never to notice that this script failed.
}
