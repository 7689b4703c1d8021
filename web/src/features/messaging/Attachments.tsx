import { Anchor, Button, CloseButton, FileButton } from '@mantine/core';
import { useState } from 'react';
import { api } from '@/api/client';
import type { Attachment } from '@/api/shapes';
import { upload } from '@/api/upload';
import { State } from '@/ui/basics';
import { toastError } from '@/ui/toast';
import classes from './Messaging.module.css';

const KILO = 1024;

const sizeWord = (bytes: number) =>
  bytes < KILO * KILO ? `${Math.max(1, Math.round(bytes / KILO))} KB` : `${(bytes / KILO / KILO).toFixed(1)} MB`;

const pathOf = (id: string) => `/v1/messaging/attachments/${id}`;

/** The files of a message: pictures as pictures, everything else to be saved. */
export function Attachments({ files }: { files: Attachment[] }) {
  if (files.length === 0) return null;
  return (
    <ul className={classes.files}>
      {files.map((file) => (
        <li key={file.id} className={classes.file}>
          <FileOf file={file} />
        </li>
      ))}
    </ul>
  );
}

function FileOf({ file }: { file: Attachment }) {
  const { id, fileName, sizeBytes, isPicture, state, reason } = file;
  if (state === 'waiting') return <State color="amber">{`${fileName} is being fetched`}</State>;
  if (state === 'refused') return <State color="gray">{`${fileName}: ${reason ?? 'it is not here'}`}</State>;
  return (
    <>
      {isPicture && <img src={`${pathOf(id)}?inline=true`} alt={fileName} loading="lazy" />}
      <Anchor fz="inherit" href={pathOf(id)} download={fileName}>
        {fileName}
      </Anchor>
      <span className={classes.dim}>{sizeWord(sizeBytes)}</span>
    </>
  );
}

interface AttachProps {
  conversationId: string;
  most: number;
  files: Attachment[];
  setFiles: (change: (was: Attachment[]) => Attachment[]) => void;
}

/** Files for the next answer, uploaded as they are chosen. */
export function AttachFiles({ conversationId, most, files, setFiles }: AttachProps) {
  const [isBusy, setBusy] = useState(false);
  const add = async (chosen: File[]) => {
    setBusy(true);
    for (const file of chosen.slice(0, most - files.length)) {
      const path = `/v1/messaging/conversations/${conversationId}/attachments`;
      try {
        const query = { fileName: file.name, kind: file.type || undefined };
        const made = await upload<Attachment>(path, query, file, () => undefined);
        setFiles((was) => [...was, made]);
      } catch (error) {
        toastError(`${file.name} was not attached`, error);
      }
    }
    setBusy(false);
  };
  const remove = (id: string) => {
    setFiles((was) => was.filter((file) => file.id !== id));
    // Whatever becomes of it: what is not sent is gone after a day.
    void api.delete(pathOf(id)).catch(() => undefined);
  };
  return (
    <div className={classes.attach}>
      <FileButton multiple onChange={(chosen) => void add(chosen)} disabled={isBusy || files.length >= most}>
        {(props) => (
          <Button {...props} size="xs" variant="default" loading={isBusy} disabled={files.length >= most}>
            Attach a file
          </Button>
        )}
      </FileButton>
      {files.map(({ id, fileName, sizeBytes }) => (
        <span key={id} className={classes.file}>
          {fileName} <span className={classes.dim}>{sizeWord(sizeBytes)}</span>
          <CloseButton size="xs" aria-label={`Take ${fileName} out`} onClick={() => remove(id)} />
        </span>
      ))}
    </div>
  );
}
