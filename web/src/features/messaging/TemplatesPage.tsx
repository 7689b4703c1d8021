import { Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '@/api/client';
import { kindWord, templatesQuery } from '@/api/messaging';
import { usePermits } from '@/api/session';
import type { MessageTemplate } from '@/api/shapes';
import { Empty, Failure, PermitButton, State, Time } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toastError } from '@/ui/toast';
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
          <div className={classes.actions}>{make}</div>
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
                  </Cell>
                  <Cell label="Changed">
                    <Time at={template.updatedAt} />
                  </Cell>
                  <Cell>
                    <div className={classes.rowActions}>
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
