/** The pages that are shown in `docs/screens`, by the name of their picture. */

import type { Api } from "../browser/harness/fixtures";

export interface Shown {
  name: string;
  path: string;
}

const FIXED: Shown[] = [
  { name: "board", path: "/board" },
  { name: "leads", path: "/leads" },
  { name: "contacts", path: "/contacts" },
  { name: "segments", path: "/segments" },
  { name: "segment-new", path: "/segments/new" },
  { name: "duplicates", path: "/duplicates" },
  { name: "inbox", path: "/messaging/inbox" },
  { name: "message-templates", path: "/messaging/templates" },
  { name: "message-channels", path: "/messaging/channels" },
  { name: "message-sandbox", path: "/messaging/sandbox" },
  { name: "campaigns", path: "/campaigns" },
  { name: "campaign-new", path: "/campaigns/new" },
  { name: "campaign-messages", path: "/campaigns?tab=messages" },
  { name: "reports", path: "/reports" },
  { name: "tasks", path: "/tasks" },
  { name: "automations", path: "/automations" },
  { name: "automation-new", path: "/automations/new" },
  { name: "imports", path: "/imports" },
  { name: "jobs", path: "/jobs" },
  { name: "captures", path: "/captures" },
  { name: "sources", path: "/sources" },
  { name: "fraud", path: "/fraud" },
  { name: "destinations", path: "/destinations" },
  { name: "deliveries", path: "/destinations?tab=deliveries" },
  { name: "dead-letters", path: "/destinations?tab=dead" },
];

/** What has an id: its page is that of the first one there is. */
const FIRST: { name: string; list: string; path: (id: string) => string }[] = [
  { name: "lead", list: "/v1/identity/leads?limit=1", path: (id) => `/leads/${id}` },
  { name: "contact", list: "/v1/identity/contacts?limit=1", path: (id) => `/contacts/${id}` },
  { name: "segment", list: "/v1/identity/segments", path: (id) => `/segments/${id}` },
  { name: "conversation", list: "/v1/messaging/inbox?limit=1", path: (id) => `/messaging/inbox?conversation=${id}` },
  { name: "campaign-draft", list: "/v1/messaging/campaigns?state=draft", path: (id) => `/campaigns/${id}` },
  { name: "campaign-report", list: "/v1/messaging/campaigns?state=finished", path: (id) => `/campaigns/${id}` },
  { name: "automation", list: "/v1/identity/lead-automations", path: (id) => `/automations/${id}` },
  { name: "destination", list: "/v1/delivery/destinations", path: (id) => `/destinations/${id}` },
  { name: "webhook", list: "/v1/identity/lead-webhooks", path: (id) => `/sources/webhooks/${id}` },
];

/** Every page of this workspace: those that are always there, its settings, and one of each thing it has. */
export async function pagesOf(api: Api, settings: string[]): Promise<Shown[]> {
  const pages = [...FIXED, ...settings.map((path) => ({ name: path.slice(1).replaceAll(/[/?=]/g, "-"), path }))];
  for (const { name, list, path } of FIRST) {
    const { data } = await api.get<{ data: { id: string }[] }>(list);
    if (data[0]) pages.push({ name, path: path(data[0].id) });
  }
  return pages;
}
