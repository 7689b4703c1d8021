import { Alert, Button, Group, Modal, Select, Stack, Table, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import type { Invitation } from '@/api/shapes';
import { Failure, Section, State, Time } from '@/ui/basics';
import { CodeBlock } from '@/ui/Copy';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { invitationsQuery, settingsApi, useSettingsWrite } from './queries';
import { useRoleOptions } from './roleOptions';

interface InvitationsProps {
  inviting: boolean;
  onInvited: () => void;
}

/** Those who were asked to join; the button that asks stands at the head of the page. */
export function Invitations({ inviting, onInvited }: InvitationsProps) {
  const invitations = useQuery(invitationsQuery);
  const [made, setMade] = useState<Invitation | null>(null);
  return (
    <>
      {invitations.isError && <Failure error={invitations.error} retry={() => void invitations.refetch()} />}
      {invitations.data && invitations.data.length > 0 && (
        <Section title="Invitations" flush>
          <ScrollTable label="Table of invitations">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>E-mail</Table.Th>
                <Table.Th>Role</Table.Th>
                <Table.Th>By</Table.Th>
                <Table.Th>Link</Table.Th>
                <ActionsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {invitations.data.map((invitation) => (
                <InvitationRow key={invitation.id} invitation={invitation} onLink={setMade} />
              ))}
            </Table.Tbody>
          </ScrollTable>
        </Section>
      )}
      <Modal opened={inviting} onClose={onInvited} title="Invite somebody" size="sm">
        <InviteForm
          onClose={onInvited}
          onMade={(invitation) => {
            onInvited();
            setMade(invitation);
          }}
        />
      </Modal>
      <LinkOnce invitation={made} onStored={() => setMade(null)} />
    </>
  );
}

function InvitationRow({ invitation, onLink }: { invitation: Invitation; onLink: (made: Invitation) => void }) {
  const resend = useSettingsWrite('invitations', settingsApi.resendInvitation, 'The invitation was not sent again');
  const revoke = useSettingsWrite('invitations', settingsApi.revokeInvitation, 'The invitation was not taken back');
  return (
    <Table.Tr>
      <Cell>{invitation.email}</Cell>
      <Cell label="Role">{invitation.roleLabel}</Cell>
      <Cell label="By">{invitation.invitedBy}</Cell>
      <Cell label="Link">
        {invitation.isExpired ? (
          <State color="red">Too old</State>
        ) : (
          <State color="green">
            Ends <Time at={invitation.expiresAt} />
          </State>
        )}
      </Cell>
      <Cell actions>
        <Group gap={4} wrap="nowrap" justify="flex-end">
          <Button
            variant="default"
            size="compact-xs"
            loading={resend.isPending}
            aria-label={`New link for ${invitation.email}`}
            onClick={() => resend.mutate(invitation.id, { onSuccess: onLink })}
          >
            New link
          </Button>
          <Button
            variant="default"
            size="compact-xs"
            loading={revoke.isPending}
            aria-label={`Take back the invitation of ${invitation.email}`}
            onClick={() =>
              revoke.mutate(invitation.id, { onSuccess: () => toast(`${invitation.email} cannot join any more`) })
            }
          >
            Take back
          </Button>
        </Group>
      </Cell>
    </Table.Tr>
  );
}

function InviteForm({ onClose, onMade }: { onClose: () => void; onMade: (invitation: Invitation) => void }) {
  const roles = useRoleOptions();
  const form = useForm({
    initialValues: { email: '', role: 'agent' },
    validate: { email: (value) => (value.includes('@') ? null : 'Enter an e-mail address.') },
  });
  const invite = useSettingsWrite('invitations', settingsApi.invite);
  const submit = form.onSubmit((values) =>
    invite.mutate(values, { onSuccess: onMade, onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {invite.isError && Object.keys(form.errors).length === 0 && (
          <Alert color="red">{messageOf(invite.error)}</Alert>
        )}
        <TextInput label="E-mail" type="email" data-autofocus {...form.getInputProps('email')} />
        <Select label="Role" allowDeselect={false} data={roles} {...form.getInputProps('role')} />
        <Text size="xs" c="dimmed">
          They choose their name and password themselves. The link works once, for 7 days.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={invite.isPending}>
            Invite
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const MAILED: Record<string, string> = {
  sent: 'It was sent by e-mail as well.',
  not_configured: 'No mail server is set up: hand it over yourself.',
  failed: 'The mail server did not take it: hand it over yourself.',
};

/** The link, the one time there is. */
function LinkOnce({ invitation, onStored }: { invitation: Invitation | null; onStored: () => void }) {
  return (
    <Modal opened={invitation !== null} onClose={onStored} title={`The link for ${invitation?.email ?? ''}`} size="md">
      <Stack gap="sm">
        <Text size="sm">
          Whoever has this link can join. It is shown this once. {MAILED[invitation?.mail ?? ''] ?? ''}
        </Text>
        {invitation?.mailError && <Alert color="red">{invitation.mailError}</Alert>}
        <CodeBlock text={invitation?.link ?? ''} label="Invitation link" wrap />
        <Group justify="flex-end">
          <Button onClick={onStored}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
