import { Button, Select, Skeleton, Table, TextInput, UnstyledButton } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconSortAscending, IconSortDescending } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { segmentsQuery } from '@/api/lookups';
import { useSession } from '@/api/session';
import type { Contact, Lifecycle } from '@/api/shapes';
import { formatCount, humanise } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, State, Tag, Time } from '@/ui/basics';
import { Chip } from '@/ui/Chip';
import { CopyButton } from '@/ui/Copy';
import { ExportMenu } from '@/ui/ExportMenu';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Contacts.module.css';
import { CONTACT_PAGE, contactsQuery } from './queries';
import { type ContactSort, type ContactsSearch, contactsQueryOf, isNarrowed, sortedBy, withPart } from './search';

const route = getRouteApi('/shell/contacts');
const SEARCH_DELAY_MS = 250;

const LIFECYCLES = [
  { value: 'lead', label: 'Lead' },
  { value: 'customer', label: 'Customer' },
];

/** The people behind the leads. */
export function ContactsPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/contacts' });
  const contacts = useQuery(contactsQuery(search));
  const seesNames = useSession().permissions.includes('pii:view');
  const go = (next: (old: ContactsSearch) => ContactsSearch) => void navigate({ search: next, replace: true });
  const total = contacts.data?.total ?? 0;
  const isCapped = contacts.data?.totalIsCapped ?? false;
  return (
    <PageBody>
      <PageHead
        title="Contacts"
        note={
          contacts.data && (
            <span className={classes.count}>
              {formatCount(total, isCapped)} {total === 1 ? 'contact' : 'contacts'}
            </span>
          )
        }
      >
        <ExportMenu path="/v1/identity/contacts/export" query={contactsQueryOf(search)} />
      </PageHead>
      <Filters search={search} seesNames={seesNames} onChange={go} />
      {contacts.isError && <Failure error={contacts.error} retry={() => void contacts.refetch()} />}
      {contacts.isPending && <Skeleton h={400} />}
      {contacts.data &&
        total === 0 &&
        (isNarrowed(search) ? (
          <Empty
            title={isCapped ? 'None of the newest contacts matches' : 'No contact matches'}
            action={
              <Button variant="default" onClick={() => go(() => ({}))}>
                Show all contacts
              </Button>
            }
          >
            {isCapped
              ? 'Older ones were not looked through here. An export has all that match.'
              : 'Try fewer letters, or take a filter away.'}
          </Empty>
        ) : (
          <Empty title="No contacts yet">
            A contact is the person behind one or more leads. The first appears with the first lead.
          </Empty>
        ))}
      {contacts.data && total > 0 && (
        <>
          <ScrollTable label="Contacts" isOld={contacts.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>
                  {seesNames ? <Sorter label="Name" by="name" search={search} onSort={go} /> : 'Name'}
                </Table.Th>
                <Table.Th>E-mail</Table.Th>
                <Table.Th>Phone</Table.Th>
                <Table.Th>Lifecycle</Table.Th>
                <Table.Th>Tags</Table.Th>
                <Table.Th>
                  <Sorter label="Since" by="createdAt" search={search} onSort={go} />
                </Table.Th>
                <Table.Th>
                  <Sorter label="Changed" by="updatedAt" search={search} onSort={go} />
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {contacts.data.data.map((contact) => (
                <Row key={contact.id} contact={contact} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={search.page ?? 1}
            limit={CONTACT_PAGE}
            total={total}
            totalIsCapped={isCapped}
            onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })}
          />
        </>
      )}
    </PageBody>
  );
}

interface FiltersProps {
  search: ContactsSearch;
  seesNames: boolean;
  onChange: (next: (old: ContactsSearch) => ContactsSearch) => void;
}

function Filters({ search, seesNames, onChange }: FiltersProps) {
  const segments = useQuery(segmentsQuery).data ?? [];
  const [draft, setDraft] = useState(search.search ?? '');
  const [tag, setTag] = useState('');
  const find = useDebouncedCallback(
    (text: string) => onChange((old) => withPart(old, 'search', text)),
    SEARCH_DELAY_MS,
  );
  const addTag = (event: FormEvent) => {
    event.preventDefault();
    if (tag.trim()) onChange((old) => withPart(old, 'tag', tag.trim()));
    setTag('');
  };
  return (
    <div className={classes.filters}>
      {seesNames && (
        <TextInput
          className={classes.search}
          size="xs"
          aria-label="Search contacts"
          placeholder="Name, e-mail, phone"
          leftSection={<IconSearch size={14} />}
          data-page-search
          value={draft}
          onChange={(event) => {
            setDraft(event.currentTarget.value);
            find(event.currentTarget.value.trim());
          }}
        />
      )}
      <Select
        className={classes.choice}
        size="xs"
        aria-label="Lifecycle"
        placeholder="Any lifecycle"
        clearable
        data={LIFECYCLES}
        value={search.lifecycle ?? null}
        onChange={(value) =>
          onChange((old) => withPart(old, 'lifecycle', (value ?? undefined) as Lifecycle | undefined))
        }
      />
      <Select
        className={classes.choice}
        size="xs"
        aria-label="Segment"
        placeholder="Any segment"
        clearable
        searchable
        nothingFoundMessage="There is no such segment"
        data={segments.map(({ id, name }) => ({ value: id, label: name }))}
        value={search.segmentId ?? null}
        onChange={(value) => onChange((old) => withPart(old, 'segmentId', value ?? undefined))}
      />
      <form onSubmit={addTag}>
        <TextInput
          className={classes.choice}
          size="xs"
          aria-label="Tag"
          placeholder="Tag, then Enter"
          value={tag}
          onChange={(event) => setTag(event.currentTarget.value)}
        />
      </form>
      {search.tag && (
        <Chip label={`Tag: ${search.tag}`} onRemove={() => onChange((old) => withPart(old, 'tag', undefined))}>
          Tag: {search.tag}
        </Chip>
      )}
      <RouteLink to="/segments" className={classes.narrowOnly}>
        Segments
      </RouteLink>
      <RouteLink to="/automations" className={classes.narrowOnly}>
        Automations
      </RouteLink>
    </div>
  );
}

interface SorterProps {
  label: string;
  by: ContactSort;
  search: ContactsSearch;
  onSort: (next: (old: ContactsSearch) => ContactsSearch) => void;
}

function Sorter({ label, by, search, onSort }: SorterProps) {
  const isChosen = (search.sortBy ?? 'createdAt') === by;
  const isUp = (search.sortOrder ?? 'desc') === 'asc';
  const Icon = isUp ? IconSortAscending : IconSortDescending;
  return (
    <UnstyledButton className={classes.sorter} onClick={() => onSort((old) => sortedBy(old, by))}>
      {label}
      {isChosen && <Icon size={14} aria-label={isUp ? 'Sorted upwards' : 'Sorted downwards'} />}
    </UnstyledButton>
  );
}

function Row({ contact }: { contact: Contact }) {
  const { id, displayName, email, phoneNumber, phoneDisplay, lifecycle, tags, createdAt, updatedAt } = contact;
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/contacts/$contactId" params={{ contactId: id }} fw={600} c="inherit">
          {displayName}
        </RouteLink>
      </Cell>
      <Cell>
        {email && (
          <span className={classes.copyable}>
            <span title={email}>{email}</span> <CopyButton value={email} label="Copy the e-mail address" />
          </span>
        )}
      </Cell>
      <Cell>
        {phoneNumber && (
          <span className={classes.copyable}>
            {phoneDisplay ?? phoneNumber} <CopyButton value={phoneNumber} label="Copy the phone number" />
          </span>
        )}
      </Cell>
      <Cell label="Lifecycle">
        <State color={lifecycle === 'customer' ? 'green' : 'gray'}>{humanise(lifecycle)}</State>
      </Cell>
      <Cell label="Tags">
        {tags.slice(0, 3).map((tag) => (
          <Tag key={tag}>{tag}</Tag>
        ))}
        {tags.length > 3 && <span title={tags.join(', ')}>+{tags.length - 3}</span>}
      </Cell>
      <Cell label="Since">
        <Time at={createdAt} />
      </Cell>
      <Cell label="Changed" beside>
        <Time at={updatedAt} />
      </Cell>
    </Table.Tr>
  );
}
