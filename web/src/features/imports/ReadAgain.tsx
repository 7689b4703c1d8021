import { Button, Group, Modal, NativeSelect, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { messageOf } from '@/api/problem';
import type { Import } from '@/api/shapes';
import { bring, broughtFile, importApi, type Reading } from './queries';

const ENCODINGS = [
  'UTF-8',
  'windows-1252',
  'windows-1250',
  'windows-1251',
  'ISO-8859-2',
  'ISO-8859-15',
  'UTF-16LE',
  'UTF-16BE',
  'Shift_JIS',
  'EUC-KR',
  'GB18030',
  'Big5',
];

const DELIMITERS = [
  { value: ',', label: 'Comma' },
  { value: ';', label: 'Semicolon' },
  { value: '\t', label: 'Tab' },
  { value: '|', label: 'Bar' },
];

/** Reads the file in another way, where the guess was wrong. */
export function ReadAgain({ file }: { file: Import }) {
  const [opened, setOpened] = useState(false);
  const source = broughtFile(file.id);
  return (
    <>
      <Button
        variant="subtle"
        size="compact-sm"
        disabled={!source}
        title={source ? undefined : 'Bring the file again to read it in another way'}
        onClick={() => setOpened(true)}
      >
        Read it in another way
      </Button>
      {source && (
        <Modal opened={opened} onClose={() => setOpened(false)} title="Read it in another way" size="sm">
          <Fields file={file} source={source} onDone={() => setOpened(false)} />
        </Modal>
      )}
    </>
  );
}

function Fields({ file, source, onDone }: { file: Import; source: File; onDone: () => void }) {
  const navigate = useNavigate();
  const encodings = [...new Set([file.encoding ?? 'UTF-8', ...ENCODINGS])];
  const [reading, setReading] = useState<Reading>({
    ...(file.format === 'csv'
      ? { encoding: file.encoding ?? undefined, delimiter: file.delimiter ?? undefined }
      : { sheet: file.sheet ?? undefined }),
    hasHeader: file.headerRow == null ? 'false' : 'true',
  });
  const again = useMutation({
    mutationFn: () => bring(source, reading, () => undefined),
    onSuccess: async ({ id }) => {
      onDone();
      await navigate({ to: '/imports/$importId', params: { importId: id }, replace: true });
      // The first reading is of no use any more; where it stays, it goes by itself.
      await importApi.drop(file.id).catch(() => undefined);
    },
  });
  return (
    <Stack gap="md">
      {file.format === 'csv' ? (
        <>
          <NativeSelect
            label="Encoding"
            data={encodings}
            value={reading.encoding}
            onChange={({ currentTarget: { value } }) => setReading({ ...reading, encoding: value })}
          />
          <NativeSelect
            label="Between the cells"
            data={DELIMITERS}
            value={reading.delimiter}
            onChange={({ currentTarget: { value } }) => setReading({ ...reading, delimiter: value })}
          />
        </>
      ) : (
        <NativeSelect
          label="Sheet"
          data={file.sheets}
          value={reading.sheet}
          onChange={({ currentTarget: { value } }) => setReading({ ...reading, sheet: value })}
        />
      )}
      <NativeSelect
        label="First row"
        data={[
          { value: 'true', label: 'Names the columns' },
          { value: 'false', label: 'Is a lead already' },
        ]}
        value={reading.hasHeader}
        onChange={({ currentTarget: { value } }) =>
          setReading({ ...reading, hasHeader: value === 'true' ? 'true' : 'false' })
        }
      />
      {again.isError && (
        <Text size="sm" c="var(--bad-text)" role="alert">
          {messageOf(again.error)}
        </Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button loading={again.isPending} onClick={() => again.mutate()}>
          Read it
        </Button>
      </Group>
    </Stack>
  );
}
