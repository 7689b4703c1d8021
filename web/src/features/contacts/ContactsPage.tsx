import { Skeleton, Table, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Contact } from '@/api/shapes';
import { humanise, plural } from '@/lib/text';
import { CopyButton, Empty, Failure, PageBody, PageHead, State, Tag, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Contacts.module.css';
import { CONTACT_PAGE, contactsQuery } from './queries';

const route = getRouteApi('/shell/contacts');
const SEARCH_DELAY_MS = 250;

/** The people behind the leads. */
export function ContactsPage() {
  const { search = '', page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/contacts' });
  const contacts = useQuery(contactsQuery(search, page));
  const [draft, setDraft] = useState(search);
  const find = useDebouncedCallback(
    (text: string) => void navigate({ search: text.trim() ? { search: text.trim() } : {}, replace: true }),
    SEARCH_DELAY_MS,
  );
  return (
    <PageBody>
      <PageHead
        title="Contacts"
        note={contacts.data && <span className={classes.count}>{plural(contacts.data.total, 'contact')}</span>}
      />
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
          find(event.currentTarget.value);
        }}
      />
      {contacts.isError && <Failure error={contacts.error} retry={() => void contacts.refetch()} />}
      {contacts.isPending && <Skeleton h={400} />}
      {contacts.data?.total === 0 &&
        (search ? (
          <Empty title="No contact matches">Try fewer letters.</Empty>
        ) : (
          <Empty title="No contacts yet">
            A contact is the person behind one or more leads. The first appears with the first lead.
          </Empty>
        ))}
      {contacts.data && contacts.data.total > 0 && (
        <>
          <ScrollTable label="Contacts">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>E-mail</Table.Th>
                <Table.Th>Phone</Table.Th>
                <Table.Th>Lifecycle</Table.Th>
                <Table.Th>Tags</Table.Th>
                <Table.Th>Since</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {contacts.data.data.map((contact) => (
                <Row key={contact.id} contact={contact} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={page}
            limit={CONTACT_PAGE}
            total={contacts.data.total}
            totalIsCapped={contacts.data.totalIsCapped}
            onPage={(to) => void navigate({ search: (old) => ({ ...old, page: to }) })}
          />
        </>
      )}
    </PageBody>
  );
}

function Row({ contact }: { contact: Contact }) {
  const { displayName, email, phoneNumber, lifecycle, tags, createdAt } = contact;
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/leads" search={{ search: email ?? displayName }} fw={600} c="inherit" title="Show the leads">
          {displayName}
        </RouteLink>
      </Cell>
      <Cell>
        {email && (
          <span className={classes.copyable}>
            {email} <CopyButton value={email} label="Copy the e-mail address" />
          </span>
        )}
      </Cell>
      <Cell>
        {phoneNumber && (
          <span className={classes.copyable}>
            {phoneNumber} <CopyButton value={phoneNumber} label="Copy the phone number" />
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
      </Cell>
      <Cell label="Since">
        <Time at={createdAt} />
      </Cell>
    </Table.Tr>
  );
}
