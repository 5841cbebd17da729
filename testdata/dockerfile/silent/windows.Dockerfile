# escape=`
FROM mcr.microsoft.com/powershell:lts-nanoserver-ltsc2022
SHELL ["pwsh", "-Command", "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue';"]
ENV APP_VERSION=3.1.4
RUN Invoke-WebRequest -OutFile app.zip "https://downloads.example.com/app-$Env:APP_VERSION.zip"; `
    if ((Get-FileHash app.zip -Algorithm sha256).Hash -ne '6D2B2A9A5C8E5D2D9B0D0D8F4F3F8C3C2E7C5C1E2F1A4B6C8D9E0F1A2B3C4D5E') { exit 1 }; `
    Expand-Archive app.zip -DestinationPath C:\app; `
    Remove-Item app.zip
WORKDIR C:\app
USER ContainerUser
EXPOSE 8080
ENTRYPOINT ["C:\\app\\app.exe"]
