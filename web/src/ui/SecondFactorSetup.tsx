import { Alert, Button, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '@/api/client';
import { fieldErrors, messageOf } from '@/api/problem';
import type { BegunSecondFactor, RecoveryCodes } from '@/api/shapes';
import { Failure } from './basics';
import { CodeBlock } from './Copy';
import classes from './ui.module.css';

const PATH = '/v1/session/second-factor';

/** The squares around a code that readers need. */
const MARGIN = 4;

function Picture({ size, path }: BegunSecondFactor['picture']) {
  const side = size + 2 * MARGIN;
  return (
    <svg
      className={classes.qr}
      viewBox={`${-MARGIN} ${-MARGIN} ${side} ${side}`}
      role="img"
      aria-label="QR code for the authenticator app"
      shapeRendering="crispEdges"
    >
      <path d={path} />
    </svg>
  );
}

interface SecondFactorSetupProps {
  /** Called once the recovery codes are stored. */
  onDone: () => void;
  cancel?: ReactNode;
}

/** Scan, enter a code, store the recovery codes. */
export function SecondFactorSetup({ onDone, cancel }: SecondFactorSetupProps) {
  // A secret of its own for each time that this is shown.
  const begun = useQuery({
    queryKey: ['second-factor', 'begun'],
    queryFn: () => api.post<BegunSecondFactor>(PATH),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const [codes, setCodes] = useState<string[] | null>(null);
  const form = useForm({
    initialValues: { code: '' },
    validate: { code: (value) => (/^\s*(\d\s*){6}$/.test(value) ? null : 'Six digits.') },
  });
  const confirm = useMutation({
    mutationFn: (code: string) => api.post<RecoveryCodes>(`${PATH}/confirm`, { code }),
    onSuccess: ({ recoveryCodes }) => setCodes(recoveryCodes),
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  if (codes) return <StoreCodes codes={codes} onStored={onDone} />;
  if (begun.isPending) return <Skeleton h={320} />;
  if (begun.isError) return <Failure error={begun.error} retry={() => void begun.refetch()} />;
  const { picture, secret } = begun.data;
  return (
    <form onSubmit={form.onSubmit(({ code }) => confirm.mutate(code))} noValidate>
      <Stack gap="sm">
        <Text size="sm">Scan this with an authenticator app, or type the key into it.</Text>
        <Picture {...picture} />
        <CodeBlock text={secret} label="Key" wrap />
        {confirm.isError && Object.keys(form.errors).length === 0 && (
          <Alert color="red">{messageOf(confirm.error)}</Alert>
        )}
        <TextInput
          label="Code"
          description="The six digits that the app shows now."
          inputMode="numeric"
          autoComplete="one-time-code"
          {...form.getInputProps('code')}
        />
        <Group justify="flex-end">
          {cancel}
          <Button type="submit" loading={confirm.isPending}>
            Switch it on
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Shown the one time there is. */
export function StoreCodes({ codes, onStored }: { codes: string[]; onStored: () => void }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        Each of these signs you in once when the phone is not at hand. Store them where you would look then; they are
        shown this once.
      </Text>
      <CodeBlock text={codes.join('\n')} label="Recovery codes" />
      <Group justify="flex-end">
        <Button onClick={onStored}>I stored them</Button>
      </Group>
    </Stack>
  );
}
