/** The banner: places this login may go to, theme, the way out. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import css from './app.module.css';
import { api } from './lib/api/client';
import { KEYS, may } from './lib/api/queries';
import type { Login } from './lib/api/types';
import { Button, Icon } from './lib/controls';
import controls from './lib/controls/controls.module.css';
import { useT } from './lib/i18n';
import type { Theme } from './lib/theme/theme';
import { THEMES, applyTheme, currentTheme } from './lib/theme/theme';

export function AppHeader({ login, locked }: { login: Login; locked: boolean }) {
  const t = useT();
  const [place] = useLocation();
  const configures = may(login, 'desktop.edit') || may(login, 'gateway.edit') || may(login, 'spc.enable');
  const link = (to: string, text: string, current: boolean) => (
    <Link href={to} className={css.navLink} aria-current={current ? 'page' : undefined}>
      {text}
    </Link>
  );
  return (
    <header className={css.header}>
      <span className={css.brand}>
        <img src="/icon.svg" alt="" width="24" height="24" />
        {t('app.name')}
      </span>
      <nav className={css.nav} aria-label={t('app.nav')} inert={locked}>
        {may(login, 'capture.start') && link('/', t('app.nav.agent'), place === '/')}
        {configures && link('/configure/agents/agent-desktop', t('admin.configure'), place.startsWith('/configure'))}
        {may(login, 'payment.view') && link('/payments', t('app.nav.payments'), place.startsWith('/payments'))}
      </nav>
      <div className={css.tools}>
        <ThemeMenu />
        <SignOut login={login} />
      </div>
    </header>
  );
}

function ThemeMenu() {
  const t = useT();
  const [theme, setTheme] = useState<Theme>(currentTheme);
  const names = { auto: 'app.theme.auto', light: 'app.theme.light', dark: 'app.theme.dark' } as const;
  return (
    <MenuTrigger>
      <Button look="quiet" size="small">
        {t('app.theme')}
        <Icon name="chevron" />
      </Button>
      <Popover className={controls.popover!}>
        <Menu
          aria-label={t('app.theme')}
          selectionMode="single"
          selectedKeys={[theme]}
          onAction={(key) => {
            setTheme(key as Theme);
            applyTheme(key as Theme);
          }}
        >
          {THEMES.map((name) => (
            <MenuItem key={name} id={name} className={controls.option!}>
              {t(names[name])}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function SignOut({ login }: { login: Login }) {
  const t = useT();
  const queries = useQueryClient();
  const out = useMutation({
    mutationFn: () => api('POST', '/logout'),
    onSettled: () => {
      queries.clear();
      queries.setQueryData(KEYS.login, null);
    },
  });
  return (
    <>
      <span className={css.who} title={t('app.signed_in_as', { name: login.user.display_name })}>
        {login.user.display_name}
      </span>
      <Button look="quiet" size="small" onPress={() => out.mutate()}>
        {t('app.sign_out')}
      </Button>
    </>
  );
}
