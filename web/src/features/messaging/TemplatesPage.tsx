import { Button, Menu, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '@/api/client';
import { channelsQuery, kindWord, templatesQuery } from '@/api/messaging';
import { usePermits } from '@/api/session';
import type { MessageTemplate } from '@/api/shapes';
import { usePageKeys } from '@/lib/keys';
import { Empty, Failure, PermitButton, State, Time } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast, toastError } from '@/ui/toast';
import classes from './Messaging.module.css';
import { useMessagingWrite } from './queries';
import { TemplateDialog } from './TemplateDialog';

const APPROVALS: Record<string, { color: string; word: string }> = {
  draft: { color: 'gray', word: 'Draft' },
  pending: { color: 'amber', word: 'Pending' },
  approved: { color: 'green', word: 'Approved' },
  rejected: { color: 'red', word: 'Rejected' },
};

/** Texts that messages are made of. */
export function TemplatesPage() {
  const templates = useQuery(templatesQuery);
  const why = usePermits().why('messaging:send');
  const [edited, setEdited] = useState<MessageTemplate | 'new' | null>(null);
  const remove = useMessagingWrite((id: string) => api.delete(`/v1/messaging/templates/${id}`));
  const accounts = (useQuery(channelsQuery).data ?? []).filter(
    ({ kind, settings }) => kind === 'whatsapp' && (settings as Record<string, unknown>).businessAccountId,
  );
  const sync = useMessagingWrite((id: string) =>
    api.post<{ templates: number }>(`/v1/messaging/channels/${id}/template-sync`, {}),
  );
  usePageKeys({ n: () => !why && setEdited('new') });
  const make = (
    <PermitButton why={why} onClick={() => setEdited('new')}>
      New template
    </PermitButton>
  );
  return (
    <>
      {templates.isPending && <Skeleton h={240} />}
      {templates.isError && <Failure error={templates.error} retry={() => void templates.refetch()} />}
      {templates.data?.length === 0 && (
        <Empty title="No templates yet" action={make}>
          A template is a text with places for names and other details. Quick sends and automations use them.
        </Empty>
      )}
      {templates.data && templates.data.length > 0 && (
        <>
          <div className={classes.actions}>
            {accounts.map((account) => (
              <PermitButton
                key={account.id}
                variant="default"
                mr="xs"
                why={why}
                loading={sync.isPending}
                onClick={() =>
                  sync.mutate(account.id, {
                    onSuccess: ({ templates: count }) => toast(`Meta told of ${count} of these templates`),
                    onError: (error) => toastError('Meta could not be asked', error),
                  })
                }
              >
                {accounts.length > 1 ? `Ask Meta (${account.name})` : 'Ask Meta how they stand'}
              </PermitButton>
            ))}
            {make}
          </div>
          <ScrollTable label="Templates">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Channel</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Changed</Table.Th>
                <Table.Th>
                  <span className={classes.hidden}>Actions</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {templates.data.map((template) => (
                <Table.Tr key={template.id}>
                  <Cell>
                    <strong>{template.name}</strong>
                    <div className={classes.beginning}>{template.body}</div>
                  </Cell>
                  <Cell label="Channel">{kindWord(template.channel)}</Cell>
                  <Cell label="State">
                    <State color={APPROVALS[template.approval]?.color ?? 'gray'}>
                      {APPROVALS[template.approval]?.word ?? template.approval}
                    </State>
                    {template.approvalReason && template.approval !== 'approved' && (
                      <div className={classes.dim}>{template.approvalReason}</div>
                    )}
                    {template.syncedAt && (
                      <div className={classes.dim}>
                        As Meta said <Time at={template.syncedAt} />
                      </div>
                    )}
                  </Cell>
                  <Cell label="Changed">
                    <Time at={template.updatedAt} />
                  </Cell>
                  <Cell>
                    <div className={classes.rowActions}>
                      {template.channel === 'whatsapp' && accounts.length > 0 && (
                        <Submit template={template} why={why} />
                      )}
                      <PermitButton size="compact-sm" variant="default" why={why} onClick={() => setEdited(template)}>
                        Edit
                      </PermitButton>
                      <PermitButton
                        size="compact-sm"
                        variant="default"
                        why={why}
                        onClick={() =>
                          remove.mutate(template.id, {
                            onError: (error) => toastError('The template was not deleted', error),
                          })
                        }
                      >
                        Delete
                      </PermitButton>
                    </div>
                  </Cell>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </ScrollTable>
        </>
      )}
      {edited && <TemplateDialog template={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </>
  );
}

const CATEGORIES = [
  { value: 'UTILITY', label: 'Utility', note: 'About an order or a request of theirs' },
  { value: 'MARKETING', label: 'Marketing', note: 'Offers and news' },
  { value: 'AUTHENTICATION', label: 'Authentication', note: 'Codes to sign in with' },
];

/** Gives a template to Meta, which wants to know what it is for. */
function Submit({ template, why }: { template: MessageTemplate; why: string | undefined }) {
  const submit = useMessagingWrite((category: string) =>
    api.post<MessageTemplate>(`/v1/messaging/templates/${template.id}/submission`, { category }),
  );
  const send = (category: string) =>
    submit.mutate(category, {
      onSuccess: () => toast('Meta has the template and looks at it'),
      onError: (error) => toastError('The template was not submitted', error),
    });
  return (
    <Menu>
      <Menu.Target>
        <Button size="compact-sm" variant="default" disabled={why !== undefined} title={why} loading={submit.isPending}>
          Submit to Meta
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>What is it for?</Menu.Label>
        {CATEGORIES.map(({ value, label, note }) => (
          <Menu.Item key={value} onClick={() => send(value)}>
            {label}
            <div className={classes.dim}>{note}</div>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
