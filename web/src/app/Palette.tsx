import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { usePermits } from '@/api/session';
import { leadSearchQuery } from '@/features/leads/queries';
import { askAddLead, onPalette } from '@/lib/commands';
import classes from './Palette.module.css';

const SEARCH_DELAY_MS = 150;

/** ⌘K: leads and actions by a few letters. */
export function Palette() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => onPalette(() => setOpen(true)), []);
  return isOpen && <PaletteDialog onClosed={() => setOpen(false)} />;
}

interface Entry {
  id: string;
  label: string;
  description?: string;
  run: () => void;
}

/** The browser's own dialog: it keeps the focus and gives it back, and there is nothing to fetch before it opens. */
function PaletteDialog({ onClosed }: { onClosed: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const listId = useId();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const leads = useFoundLeads(query);
  const actions = useActions(query);
  const entries = [...leads, ...actions];
  const place = entries.findIndex(({ id }) => id === chosen);
  // Enter takes the first entry when none was chosen with the arrows.
  const selected = place < 0 && query.trim() ? 0 : place;

  useLayoutEffect(() => dialog.current?.showModal(), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another entry is selected
  useEffect(() => {
    dialog.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [selected]);

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    dialog.current?.close();
    entry.run();
  };
  const choose = (index: number) => setChosen(entries.at(index % entries.length)?.id ?? null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') choose(selected + 1);
    else if (event.key === 'ArrowUp') choose(Math.max(selected, 0) - 1);
    else if (event.key === 'Enter') run(entries[Math.max(selected, 0)]);
    else return;
    event.preventDefault();
  };
  const optionId = (entry: Entry) => `${listId}-${entries.indexOf(entry)}`;
  const chosenEntry = entries[selected];
  const list = (all: Entry[]) =>
    all.map((entry) => (
      <button
        key={entry.id}
        id={optionId(entry)}
        type="button"
        role="option"
        aria-selected={entry === chosenEntry}
        className={classes.entry}
        tabIndex={-1}
        // The focus stays in the field.
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => run(entry)}
      >
        {entry.label}
        {entry.description && <span className={classes.description}>{entry.description}</span>}
      </button>
    ));
  return (
    <dialog
      ref={dialog}
      className={classes.palette}
      aria-label="Find a lead or an action"
      onClose={onClosed}
      onMouseDown={(event) => event.target === event.currentTarget && event.currentTarget.close()}
      // An open panel below would take the wheel for its own.
      onWheel={(event) => event.stopPropagation()}
      onTouchMove={(event) => event.stopPropagation()}
    >
      <IconSearch className={classes.icon} size={18} aria-hidden="true" />
      <input
        className={classes.search}
        placeholder="A name, an e-mail address, an action"
        aria-label="Find a lead or an action"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={entries.length > 0}
        aria-controls={listId}
        aria-activedescendant={chosenEntry && optionId(chosenEntry)}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setChosen(null);
        }}
        onKeyDown={onKeyDown}
        // Escape is not for an open panel below.
        data-mantine-stop-propagation
      />
      <div id={listId} role="listbox" aria-label="Leads and actions" className={classes.list}>
        {leads.length > 0 && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
          <div role="group" className={classes.group} aria-label="Leads">
            {list(leads)}
          </div>
        )}
        {actions.length > 0 && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
          <div role="group" className={classes.group} aria-label="Actions">
            {list(actions)}
          </div>
        )}
      </div>
      {entries.length === 0 && (
        <div role="status" className={classes.empty}>
          Nothing found
        </div>
      )}
    </dialog>
  );
}

function useFoundLeads(query: string): Entry[] {
  const navigate = useNavigate();
  const [needle] = useDebouncedValue(query.trim(), SEARCH_DELAY_MS);
  const leads = useQuery(leadSearchQuery(needle));
  // Until there is an answer to what is typed now, only what fits it stays: Enter must not open who was searched before.
  const typed = query.trim().toLowerCase();
  if (typed.length < 2) return [];
  const isAnswered = needle === query.trim() && !leads.isPlaceholderData;
  const fits = (texts: (string | null | undefined)[]) => texts.some((text) => text?.toLowerCase().includes(typed));
  const shown = (leads.data?.data ?? []).filter(
    ({ name, email, company }) => isAnswered || fits([name, email, company]),
  );
  return shown.map((lead) => ({
    id: lead.id,
    label: lead.name,
    description: [lead.company, lead.email, lead.phoneDisplay].filter(Boolean).join(' · '),
    run: () => void navigate({ to: '/leads/$leadId', params: { leadId: lead.id } }),
  }));
}

function useActions(query: string): Entry[] {
  const navigate = useNavigate();
  const permits = usePermits();
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
    { label: 'Go to message templates', allowed: true, run: () => void navigate({ to: '/messaging/templates' }) },
    { label: 'Go to campaigns', allowed: true, run: () => void navigate({ to: '/campaigns' }) },
    {
      label: 'New campaign',
      allowed: permits.can('messaging:send'),
      run: () => void navigate({ to: '/campaigns/new' }),
    },
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
  ];
  const typed = query.trim().toLowerCase();
  return actions
    .filter(({ label, allowed }) => allowed && label.toLowerCase().includes(typed))
    .map(({ label, run }) => ({ id: label, label, run }));
}
