import { Button, Pill, SegmentedControl, Skeleton, TagsInput, Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useCanGoBack, useNavigate, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { ContactDetail, Lifecycle } from '@/api/shapes';
import { asText, humanise, safeUrl } from '@/lib/text';
import { Empty, Failure, PageBody, SafeLink, State, Time } from '@/ui/basics';
import { CopyButton } from '@/ui/Copy';
import { InlineEdit } from '@/ui/InlineEdit';
import { Suppressed } from '@/ui/Suppressed';
import { toastError } from '@/ui/toast';
import { Block } from './Block';
import { Captures, ContactConversations, ContactLeads, Journey, Notes } from './ContactParts';
import classes from './Contacts.module.css';
import { contactQuery, useUpdateContact } from './queries';

const route = getRouteApi('/shell/contacts/$contactId');

/** All that is known of one person. */
export function ContactPage() {
  const { contactId } = route.useParams();
  const navigate = useNavigate();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const contact = useQuery(contactQuery(contactId));
  const leave = () => (canGoBack ? router.history.back() : void navigate({ to: '/contacts' }));
  return (
    <PageBody>
      <Button ml={-8} variant="subtle" size="compact-sm" leftSection={<IconArrowLeft size={14} />} onClick={leave}>
        Back
      </Button>
      {contact.isPending && <Skeleton h={400} mt="sm" />}
      {contact.isError &&
        !contact.data &&
        (contact.error instanceof Problem && contact.error.status === 404 ? (
          <Empty title="There is no such contact">It may have been erased, or it belongs to another workspace.</Empty>
        ) : (
          <Failure error={contact.error} retry={() => void contact.refetch()} />
        ))}
      {contact.data && <Loaded contact={contact.data} />}
    </PageBody>
  );
}

function Loaded({ contact }: { contact: ContactDetail }) {
  const canEdit = usePermits().can('leads:manage') && !contact.masked;
  const notes = contact.columnData.notes;
  return (
    <>
      <header className={classes.head}>
        <Title order={1}>{contact.displayName}</Title>
        <div className={classes.meta}>
          <State color={contact.lifecycle === 'customer' ? 'green' : 'gray'}>{humanise(contact.lifecycle)}</State>
          <span>
            Since <Time at={contact.createdAt} />
          </span>
          {contact.masked && <span>Personal data is masked for your role.</span>}
        </div>
      </header>
      <Suppressed of="contacts" id={contact.id} />
      <div className={classes.grid}>
        <div>
          <ContactLeads leads={contact.leads} />
          <Notes notes={notes} masked={contact.masked} />
          <ContactConversations contactId={contact.id} />
          <Journey contact={contact} />
          <Captures contactId={contact.id} />
        </div>
        <div>
          <Block title="Details">
            <Facts contact={contact} canEdit={canEdit} />
          </Block>
          <Block title="Tags">
            <Tags contact={contact} canEdit={canEdit} />
          </Block>
          <Data contact={contact} canEdit={canEdit} />
        </div>
      </div>
    </>
  );
}

interface PartProps {
  contact: ContactDetail;
  canEdit: boolean;
}

const FIELDS: { key: 'displayName' | 'email' | 'phoneNumber'; label: string; type?: 'email' | 'tel' }[] = [
  { key: 'displayName', label: 'Name' },
  { key: 'email', label: 'E-mail', type: 'email' },
  { key: 'phoneNumber', label: 'Phone', type: 'tel' },
];

function Facts({ contact, canEdit }: PartProps) {
  const update = useUpdateContact(contact);
  return (
    <dl className={classes.facts}>
      {FIELDS.map(({ key, label, type }) => {
        const value = contact[key] ?? '';
        return (
          <Fact key={key} label={label}>
            <span className={classes.value}>
              <InlineEdit
                label={label}
                type={type}
                value={value}
                display={key === 'phoneNumber' ? (contact.phoneDisplay ?? undefined) : undefined}
                readOnly={!canEdit}
                onSave={(next) => update.mutateAsync({ [key]: next === '' && key !== 'displayName' ? null : next })}
              />
            </span>
            {value && !contact.masked && key !== 'displayName' && <CopyButton value={value} label={`Copy: ${label}`} />}
          </Fact>
        );
      })}
      <Fact label="Lifecycle">
        {canEdit ? (
          <SegmentedControl
            size="xs"
            aria-label="Lifecycle"
            value={update.variables?.lifecycle && update.isPending ? update.variables.lifecycle : contact.lifecycle}
            data={[
              { value: 'lead', label: 'Lead' },
              { value: 'customer', label: 'Customer' },
            ]}
            onChange={(lifecycle) =>
              update.mutate(
                { lifecycle: lifecycle as Lifecycle },
                { onError: (error) => toastError('The lifecycle was not changed', error) },
              )
            }
          />
        ) : (
          humanise(contact.lifecycle)
        )}
      </Fact>
      <Fact label="Changed">
        <Time at={contact.updatedAt} />
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Tags({ contact, canEdit }: PartProps) {
  const update = useUpdateContact(contact);
  if (!canEdit) {
    return (
      <div className={classes.tags}>
        {contact.tags.length === 0 ? '–' : contact.tags.map((tag) => <Pill key={tag}>{tag}</Pill>)}
      </div>
    );
  }
  return (
    <TagsInput
      size="xs"
      aria-label="Tags"
      placeholder={contact.tags.length === 0 ? 'Add a tag, then Enter' : undefined}
      value={update.isPending ? (update.variables?.tags ?? contact.tags) : contact.tags}
      onChange={(tags) => update.mutate({ tags }, { onError: (error) => toastError('The tags were not saved', error) })}
    />
  );
}

/** What was carried over from leads and found out by widgets, under the names it came with. */
function Data({ contact, canEdit }: PartProps) {
  const update = useUpdateContact(contact);
  const names = contact.columnData._displayNames ?? {};
  const rows = Object.entries(contact.columnData).filter(([key]) => key !== '_displayNames' && key !== 'notes');
  if (rows.length === 0) return null;
  return (
    <Block title="Custom fields">
      <dl className={classes.facts}>
        {rows.map(([key, value]) => {
          const text = asText(value);
          const label = names[key] ?? humanise(key);
          const isPlain = value === null || typeof value !== 'object';
          return (
            <Fact key={key} label={label}>
              <span className={classes.value}>
                <InlineEdit
                  label={label}
                  value={text}
                  readOnly={!canEdit || !isPlain}
                  onSave={(next) => update.mutateAsync({ columnData: { [key]: next === '' ? null : next } })}
                />
              </span>
              {safeUrl(text) && <SafeLink url={text}>Open</SafeLink>}
            </Fact>
          );
        })}
      </dl>
    </Block>
  );
}
