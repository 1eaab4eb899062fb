def handshake_first(name):
    plain = getattr(H, name)
    def command(self, *args):
        def wait(tries):
            channel = self.data_channel
            if channel is not None and channel._ssl_established:
                plain(self, *args)
            elif tries > 0:
                self.ioloop.call_later(0.01, wait, tries - 1)
            else:
                self._shutdown_connecting_dtp()
                if channel is not None:
                    channel.close()
                self.respond('425 No connection established')
        wait(2999 if hasattr(self, 'was_refused') else 0)
        self.was_refused = True
    setattr(H, name, command)
for name in ['ftp_STOR', 'ftp_RETR', 'ftp_LIST', 'ftp_MLSD']:
    handshake_first(name)
