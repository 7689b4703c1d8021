import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import type { CrmLink } from '@/api/shapes';
import { CrmLinks } from './CrmLinks';

afterEach(cleanup);

const show = (link: Partial<CrmLink>) =>
  render(
    <MantineProvider env="test">
      <CrmLinks
        links={[{ destinationId: 'd', destinationName: 'HubSpot', updatedAt: '2026-01-05T08:00:00.000Z', ...link }]}
      />
    </MantineProvider>,
  );

it('links to the lead in the CRM without telling the CRM where from', () => {
  show({ crmLeadId: '4711', crmLeadUrl: 'https://crm.example/l/4711' });

  const anchor = screen.getByRole('link', { name: 'Open the lead there' });

  expect(anchor.getAttribute('href')).toBe('https://crm.example/l/4711');
  expect(anchor.getAttribute('rel')).toBe('noopener noreferrer');
  expect(screen.getByText('4711')).toBeTruthy();
});

it('never links to what is no web page', () => {
  show({ crmLeadUrl: 'javascript:alert(1)' });

  expect(screen.queryByRole('link')).toBeNull();
});

it('is not there where nothing was told', () => {
  const { container } = render(
    <MantineProvider env="test">
      <CrmLinks links={[]} />
    </MantineProvider>,
  );

  expect(container.querySelector('section')).toBeNull();
});
