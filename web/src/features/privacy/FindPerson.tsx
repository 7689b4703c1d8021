import { Skeleton, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { plural } from '@/lib/text';
import { Empty, Failure, Section } from '@/ui/basics';
import classes from './Privacy.module.css';
import { foundQuery } from './queries';

/** What is typed is looked for once the typing pauses. */
const PAUSE_MS = 250;

/** Somebody asks what is held of them, by their name, address or number. It stays out of the address bar. */
export function FindPerson() {
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), PAUSE_MS);
  const found = useQuery(foundQuery(search));
  return (
    <>
      <TextInput
        className={classes.search}
        label="Whose data?"
        placeholder="Name, e-mail or phone"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {search === '' ? (
        <Empty title="Find a person">
          Look somebody up to see what is held of them, to give it to them as a file, or to erase it everywhere.
        </Empty>
      ) : (
        <>
          {found.isPending && <Skeleton h={120} />}
          {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
          {found.data && (
            <Section title={plural(found.data.total, 'person', 'persons')} flush>
              {found.data.data.length === 0 ? (
                <Empty title="Nobody is found">Try a part of the name, the e-mail address or the last digits.</Empty>
              ) : (
                <ul className={classes.found} aria-busy={found.isPlaceholderData}>
                  {found.data.data.map((contact) => (
                    <li key={contact.id}>
                      <Link to="/settings/privacy" search={{ person: contact.id }}>
                        <span>{contact.displayName}</span>
                        <small>{[contact.email, contact.phoneDisplay].filter(Boolean).join(' · ')}</small>
                      </Link>
                    </li>
                  ))}
                </ul>
              )}
            </Section>
          )}
        </>
      )}
    </>
  );
}
