import { Alert, Button, Group, Table, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { fieldErrors, messageOf } from '@/api/problem';
import type { InboundWebhook, LeadFetch } from '@/api/shapes';
import { Empty, Failure, Section, State, Time } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { fetchesQuery, useFetchForm } from './queries';

const STATES: Record<string, { label: string; color: string }> = {
  pending: { label: 'Waiting', color: 'amber' },
  done: { label: 'Fetched', color: 'green' },
  dead: { label: 'Given up', color: 'red' },
};

/** The leads that Facebook gave notice of, and a way to get those that were missed. */
export function FacebookTab({ webhook }: { webhook: InboundWebhook }) {
  const fetches = useQuery(fetchesQuery(webhook.id));
  return (
    <>
      {!webhook.hasAccessToken && (
        <Alert role="note" color="yellow" mt="sm">
          This webhook has no page access token, so leads cannot be fetched. Edit it, choose Facebook Lead Ads, and
          follow the steps there.
        </Alert>
      )}
      <MissedLeads webhookId={webhook.id} />
      {fetches.isError && !fetches.data && <Failure error={fetches.error} retry={() => void fetches.refetch()} />}
      {fetches.data?.length === 0 && (
        <Empty title="Nothing has been fetched">Each notice of a lead that Facebook sends appears here.</Empty>
      )}
      {fetches.data && fetches.data.length > 0 && <Fetches rows={fetches.data} />}
    </>
  );
}

function MissedLeads({ webhookId }: { webhookId: string }) {
  const fetch = useFetchForm(webhookId);
  const form = useForm({
    initialValues: { formId: '' },
    validate: {
      formId: (value) => (/^\d{1,40}$/.test(value.trim()) ? null : 'It is a number; the form has it in Meta.'),
    },
  });
  const submit = form.onSubmit(({ formId }) =>
    fetch.mutate(formId.trim(), {
      onSuccess: () => {
        toast('Fetching the leads of the form');
        form.reset();
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    }),
  );
  return (
    <Section title="Leads that were missed">
      <form onSubmit={submit} noValidate>
        <Group align="flex-end" gap="sm">
          <TextInput
            label="Form id"
            description="All leads of the form are fetched, and what was given up is tried again. None is doubled."
            inputMode="numeric"
            {...form.getInputProps('formId')}
          />
          <Button type="submit" loading={fetch.isPending}>
            Fetch the form's leads
          </Button>
        </Group>
        {fetch.error !== null && !form.errors.formId && <Alert color="red">{messageOf(fetch.error)}</Alert>}
      </form>
    </Section>
  );
}

function Fetches({ rows }: { rows: LeadFetch[] }) {
  return (
    <ScrollTable label="Fetched from Facebook">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>What</Table.Th>
          <Table.Th>State</Table.Th>
          <Table.Th>Leads</Table.Th>
          <Table.Th>Tries</Table.Th>
          <Table.Th>Next try</Table.Th>
          <Table.Th>Asked for</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ id, kind, subject, state, foundCount, attemptCount, lastError, nextAttemptAt, createdAt }) => (
          <Table.Tr key={id}>
            <Cell>
              {kind === 'form' ? 'Form' : 'Lead'} {subject}
            </Cell>
            <Cell label="State">
              <State color={STATES[state]?.color ?? 'gray'}>{STATES[state]?.label ?? state}</State> {lastError}
            </Cell>
            <Cell label="Leads">{foundCount}</Cell>
            <Cell label="Tries">{attemptCount}</Cell>
            <Cell label="Next try">{nextAttemptAt && <Time at={nextAttemptAt} />}</Cell>
            <Cell label="Asked for">
              <Time at={createdAt} />
            </Cell>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </ScrollTable>
  );
}
