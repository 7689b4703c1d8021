import { linkOptions } from '@tanstack/react-router';
import { TABS } from './tabs';

type Tab = (typeof TABS)[number]['tab'];

interface Item {
  label: string;
  /** What somebody must be permitted to see it; `null` is for everybody. */
  permission: string | null;
  link: ReturnType<typeof tabLink> | ReturnType<typeof pageLink>;
}

interface Group {
  title: string;
  items: Item[];
}

/** Everything there is to set, in the groups in which people look for it. */
export const MENU: Group[] = [
  { title: 'Workspace', items: [tab('workspace'), tab('work'), tab('alerts')] },
  {
    title: 'Leads',
    items: [
      tab('pipelines'),
      tab('fields'),
      page('Assignment', '/settings/assignment', 'settings:view'),
      tab('scoring'),
      tab('fraud'),
      tab('analysis'),
    ],
  },
  { title: 'People', items: [tab('users'), tab('roles'), tab('sign-in')] },
  { title: 'You', items: [tab('my-alerts'), tab('tokens'), tab('sessions')] },
  {
    title: 'Records',
    items: [
      page('Privacy', '/settings/privacy', 'settings:view'),
      page('Audit log', '/settings/audit', 'audit:view'),
      page('Ledger', '/settings/ledger', 'settings:view'),
    ],
  },
];

function tab(name: Tab): Item {
  const { label, permission } = TABS.find((each) => each.tab === name) ?? { label: name, permission: null };
  return { label, permission, link: tabLink(name) };
}

function tabLink(name: Tab) {
  return linkOptions({ to: '/settings/$tab', params: { tab: name } });
}

function page(label: string, to: Parameters<typeof pageLink>[0], permission: string): Item {
  return { label, permission, link: pageLink(to) };
}

function pageLink(to: '/settings/assignment' | '/settings/privacy' | '/settings/audit' | '/settings/ledger') {
  return linkOptions({ to });
}
