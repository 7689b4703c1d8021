import { Button, Progress } from '@mantine/core';
import { IconFileImport } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type DragEvent, useRef, useState } from 'react';
import { usePermits } from '@/api/session';
import { Failure, PermitButton } from '@/ui/basics';
import classes from './Imports.module.css';
import { bring } from './queries';

const ACCEPT = '.csv,.tsv,.txt,.xlsx,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Takes a file by dropping or choosing it, and goes on with it once it is read. */
export function DropZone() {
  const why = usePermits().why('leads:manage');
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const [sent, setSent] = useState(0);
  const send = useMutation({
    mutationFn: (file: File) => {
      setSent(0);
      return bring(file, {}, setSent);
    },
    onSuccess: ({ id }) => void navigate({ to: '/imports/$importId', params: { importId: id } }),
  });
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (file && !why && !send.isPending) send.mutate(file);
    if (input.current) input.current.value = '';
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    take(event.dataTransfer.files);
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same by keyboard */}
      <div
        className={classes.drop}
        data-over={isOver}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(!why);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={drop}
      >
        <input
          ref={input}
          type="file"
          hidden
          accept={ACCEPT}
          aria-label="File of leads"
          onChange={(event) => take(event.currentTarget.files)}
        />
        {send.isPending ? (
          <div className={classes.sending} aria-live="polite">
            <Progress value={Math.floor(sent * 100)} aria-label="The file is sent" />
            <p className={classes.small}>{sent < 1 ? 'Sending the file' : 'Reading the file'}</p>
          </div>
        ) : (
          <>
            <PermitButton why={why} leftSection={<IconFileImport size={14} />} onClick={() => input.current?.click()}>
              Choose a file
            </PermitButton>
            <p className={classes.small}>or drop it here: CSV in any encoding, or Excel (.xlsx)</p>
            <Button component="a" href={SAMPLE} download="leads-example.csv" variant="subtle" size="compact-sm">
              Example file
            </Button>
          </>
        )}
      </div>
      {send.isError && <Failure error={send.error} />}
    </>
  );
}

const SAMPLE = `data:text/csv;charset=utf-8,${encodeURIComponent(
  'Name,E-mail,Phone,Company,Message,Budget\r\nAnna Keller,anna@keller.example,+49 151 12345678,Keller GmbH,Please call,5000\r\n',
)}`;
