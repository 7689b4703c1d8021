import '@mantine/spotlight/styles.css';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight } from '@mantine/spotlight';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { usePermits } from '@/api/session';
import { leadSearchQuery } from '@/features/leads/queries';
import { askAddLead } from '@/lib/commands';

const SEARCH_DELAY_MS = 150;

/** Enter takes the first entry when none was chosen with the arrows. */
function runFirst() {
  const list = document.querySelector('[data-palette]');
  if (!list?.querySelector('[data-selected]')) list?.querySelector<HTMLElement>('[data-action]')?.click();
}

/** ⌘K: leads and actions by a few letters. Opens whenever `openings` grows. */
export default function Palette({ openings }: { openings: number }) {
  useEffect(() => {
    if (openings > 0) spotlight.open();
  }, [openings]);
  const [query, setQuery] = useState('');
  const [needle] = useDebouncedValue(query.trim(), SEARCH_DELAY_MS);
  const navigate = useNavigate();
  const permits = usePermits();
  const leads = useQuery(leadSearchQuery(needle));
  const actions = [
    {
      label: 'Add a lead',
      allowed: permits.can('leads:manage'),
      run: () => {
        if (!askAddLead()) void navigate({ to: '/board' });
      },
    },
    { label: 'Go to the board', allowed: true, run: () => void navigate({ to: '/board' }) },
    { label: 'Go to the table of leads', allowed: true, run: () => void navigate({ to: '/leads' }) },
    {
      label: 'Leads assigned to me',
      allowed: true,
      run: () => void navigate({ to: '/board', search: { assignedTo: 'me' } }),
    },
    {
      label: 'Find duplicates',
      allowed: permits.can('pii:view'),
      run: () => void navigate({ to: '/duplicates' }),
    },
    { label: 'Recent jobs', allowed: true, run: () => void navigate({ to: '/jobs' }) },
    {
      label: 'Import leads from a file',
      allowed: permits.can('leads:manage'),
      run: () => void navigate({ to: '/imports' }),
    },
    { label: 'My tasks', allowed: true, run: () => void navigate({ to: '/tasks' }) },
    { label: 'Go to contacts', allowed: true, run: () => void navigate({ to: '/contacts' }) },
    { label: 'Go to segments', allowed: true, run: () => void navigate({ to: '/segments' }) },
    { label: 'Go to the inbox', allowed: true, run: () => void navigate({ to: '/messaging/inbox' }) },
    { label: 'Go to automations', allowed: true, run: () => void navigate({ to: '/automations' }) },
    { label: 'Go to reports', allowed: true, run: () => void navigate({ to: '/reports' }) },
    { label: 'Go to the fraud desk', allowed: true, run: () => void navigate({ to: '/fraud' }) },
    { label: 'Go to sources', allowed: true, run: () => void navigate({ to: '/sources' }) },
    {
      label: 'Go to destinations',
      allowed: permits.can('destinations:view'),
      run: () => void navigate({ to: '/destinations' }),
    },
    {
      label: 'Dead letters',
      allowed: permits.can('destinations:view'),
      run: () => void navigate({ to: '/destinations', search: { tab: 'dead' } }),
    },
    { label: 'Go to settings', allowed: true, run: () => void navigate({ to: '/settings' }) },
  ].filter(({ label, allowed }) => allowed && label.toLowerCase().includes(query.trim().toLowerCase()));
  // Until there is an answer to what is typed now, only what fits it stays: Enter must not open who was searched before.
  const typed = query.trim().toLowerCase();
  const isAnswered = needle === query.trim() && !leads.isPlaceholderData;
  const fits = (texts: (string | null | undefined)[]) => texts.some((text) => text?.toLowerCase().includes(typed));
  const shown = (leads.data?.data ?? []).filter(
    ({ name, email, company }) => isAnswered || fits([name, email, company]),
  );
  const found = typed.length > 1 ? shown : [];
  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      clearQueryOnClose
      centered={false}
      overlayProps={{ blur: 0, backgroundOpacity: 0.35 }}
      scrollable
      maxHeight={420}
      attributes={{ content: { 'aria-label': 'Find a lead or an action' } }}
    >
      <Spotlight.Search
        placeholder="A name, an e-mail address, an action"
        aria-label="Find a lead or an action"
        onKeyDown={(event) => event.key === 'Enter' && runFirst()}
        leftSection={<IconSearch size={18} />}
      />
      <Spotlight.ActionsList data-palette>
        {found.length > 0 && (
          <Spotlight.ActionsGroup label="Leads">
            {found.map((lead) => (
              <Spotlight.Action
                key={lead.id}
                label={lead.name}
                description={[lead.company, lead.email, lead.phoneDisplay].filter(Boolean).join(' · ')}
                onClick={() => void navigate({ to: '/leads/$leadId', params: { leadId: lead.id } })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {actions.length > 0 && (
          <Spotlight.ActionsGroup label="Actions">
            {actions.map(({ label, run }) => (
              <Spotlight.Action key={label} label={label} onClick={run} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {found.length === 0 && actions.length === 0 && <Spotlight.Empty>Nothing found</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
