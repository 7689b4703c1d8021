import { MantineProvider } from '@mantine/core';
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { Problem } from '@/api/problem';
import { InlineEdit } from './InlineEdit';

afterEach(cleanup);

function edit(onSave: (value: string, seen: string) => Promise<unknown>) {
  render(
    <MantineProvider env="test">
      <InlineEdit label="Company" value="Acme" onSave={onSave} />
    </MantineProvider>,
  );
  fireEvent.click(screen.getByRole('button', { name: /Company/ }));
  return screen.getByLabelText('Company');
}

it('saves with Enter', async () => {
  const onSave = vi.fn(async () => undefined);
  const input = edit(onSave);

  fireEvent.change(input, { target: { value: ' Zenith ' } });
  fireEvent.keyDown(input, { key: 'Enter' });

  await waitFor(() => expect(screen.queryByLabelText('Company')).toBeNull());
  expect(onSave).toHaveBeenCalledExactlyOnceWith('Zenith', 'Acme');
});

it('shows what somebody else wrote, and saves over it only when told', async () => {
  const conflict = { pointer: '/company', yours: 'Zenith', theirs: 'Acme Ltd' };
  const onSave = vi
    .fn(async (_value: string, _seen: string): Promise<unknown> => undefined)
    .mockRejectedValueOnce(new Problem(409, 'stale_version', 'Changed.', [], null, [conflict]));
  const input = edit(onSave);

  fireEvent.change(input, { target: { value: 'Zenith' } });
  fireEvent.keyDown(input, { key: 'Enter' });
  await screen.findByText(/Acme Ltd/);
  fireEvent.blur(input);
  expect(onSave).toHaveBeenCalledTimes(1);
  fireEvent.click(screen.getByRole('button', { name: 'Use mine' }));

  await waitFor(() => expect(screen.queryByLabelText('Company')).toBeNull());
  expect(onSave).toHaveBeenLastCalledWith('Zenith', 'Acme Ltd');
});

it('puts the old value back with Esc', () => {
  const onSave = vi.fn(async () => undefined);
  const input = edit(onSave);

  fireEvent.change(input, { target: { value: 'Zenith' } });
  fireEvent.keyDown(input, { key: 'Escape' });

  expect(screen.getByRole('button', { name: /Acme/ })).toBeTruthy();
  expect(onSave).not.toHaveBeenCalled();
});

it('keeps what was typed when the server refuses', async () => {
  const input = edit(() => Promise.reject(new Problem(422, 'invalid', 'That is too long.')));

  fireEvent.change(input, { target: { value: 'Zenith' } });
  fireEvent.keyDown(input, { key: 'Enter' });

  await screen.findByText('That is too long.');
  expect(screen.getByLabelText<HTMLInputElement>('Company').value).toBe('Zenith');
});
