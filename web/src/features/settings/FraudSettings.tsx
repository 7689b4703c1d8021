import { Alert, Anchor, NumberInput, Skeleton, Stack, Switch, TagsInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { Link, useBlocker } from '@tanstack/react-router';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Workspace } from '@/api/shapes';
import { Failure, PermitButton } from '@/ui/basics';
import { toast } from '@/ui/toast';
import { settingsApi, useSettingsWrite, workspaceQuery } from './queries';
import classes from './Settings.module.css';

/** Where holding back suspicious submissions begins when it is switched on. */
const HOLD_AT = 85;

export function FraudSettings() {
  const workspace = useQuery(workspaceQuery);
  if (workspace.isPending) return <Skeleton h={320} />;
  if (workspace.isError) return <Failure error={workspace.error} retry={() => void workspace.refetch()} />;
  return <FraudForm key={workspace.data.id} settings={workspace.data.settings} />;
}

function FraudForm({ settings }: { settings: Workspace['settings'] }) {
  const why = usePermits().why('settings:manage');
  const readOnly = why !== undefined;
  const form = useForm({
    initialValues: {
      botDetection: settings.botDetection,
      blockHoneypotIps: settings.blockHoneypotIps,
      holds: settings.holdAtSuspicion != null,
      holdAtSuspicion: settings.holdAtSuspicion ?? HOLD_AT,
      rateLimitPerMinute: settings.rateLimitPerMinute,
      trustedIps: settings.trustedIps,
      testIps: settings.testIps,
      testEmails: settings.testEmails,
      competitorDomains: settings.competitorDomains,
    },
  });
  const save = useSettingsWrite('workspace', settingsApi.saveFraud);
  useBlocker({
    shouldBlockFn: () => form.isDirty() && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => form.isDirty(),
  });
  const submit = form.onSubmit(({ holds, holdAtSuspicion, ...rest }) =>
    save.mutate(
      { ...rest, holdAtSuspicion: holds ? holdAtSuspicion : null },
      {
        onSuccess: () => {
          form.resetDirty();
          toast('Saved');
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    ),
  );
  const list = (name: 'trustedIps' | 'testIps' | 'testEmails' | 'competitorDomains') => ({
    readOnly,
    placeholder: readOnly ? undefined : 'Add one, then Enter',
    ...form.getInputProps(name),
  });
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <Stack gap="md">
        <Anchor component={Link} to="/fraud" size="sm">
          What is held back and who is blocked
        </Anchor>
        {save.isError && <Alert color="red">{messageOf(save.error)}</Alert>}
        <Switch
          label="Detect bots"
          description="Submissions that fill the hidden field wait in quarantine and never become leads by themselves."
          disabled={readOnly}
          {...form.getInputProps('botDetection', { type: 'checkbox' })}
        />
        <Switch
          label="Block who fills the hidden field"
          description="Their address is blocked for a week."
          disabled={readOnly || !form.values.botDetection}
          {...form.getInputProps('blockHoneypotIps', { type: 'checkbox' })}
        />
        <Switch
          label="Hold suspicious submissions for review"
          description="What a browser sends waits in quarantine when its suspicion reaches the limit."
          disabled={readOnly}
          {...form.getInputProps('holds', { type: 'checkbox' })}
        />
        {form.values.holds && (
          <NumberInput
            label="From this suspicion on"
            size="sm"
            min={1}
            max={100}
            allowDecimal={false}
            readOnly={readOnly}
            {...form.getInputProps('holdAtSuspicion')}
          />
        )}
        <NumberInput
          label="Submissions a minute from one address to one source"
          description="What comes beyond waits in quarantine; nothing is lost. 0 switches it off."
          size="sm"
          min={0}
          allowDecimal={false}
          readOnly={readOnly}
          {...form.getInputProps('rateLimitPerMinute')}
        />
        <TagsInput
          label="Trusted addresses"
          description="Addresses and networks that are never blocked, limited or held back, such as your office's."
          {...list('trustedIps')}
        />
        <TagsInput
          label="Test addresses"
          description="Leads from these addresses and networks are marked as tests."
          {...list('testIps')}
        />
        <TagsInput
          label="Test e-mail addresses and domains"
          description="Leads with such an address are marked as tests."
          {...list('testEmails')}
        />
        <TagsInput
          label="Competitors' domains"
          description="An e-mail address there raises suspicion."
          {...list('competitorDomains')}
        />
        <div>
          <PermitButton type="submit" size="sm" why={why} loading={save.isPending}>
            Save
          </PermitButton>
        </div>
      </Stack>
    </form>
  );
}
